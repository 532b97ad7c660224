"""StudioGAN's own code against the imported networks: `--studiogan PATH`.

Its networks get random weights, statistics and stale spectral norms, are saved as its
training saves them, and are run in a process of their own.
"""

import subprocess
import sys

import numpy as np
import pytest

from keras_sagan.interop import load_studiogan

# Runs in the checkout. The commits before those that changed the conditional batch
# norm have another signature, hence the inspection.
PROGRAM = """
import inspect, sys, types
source, out, size, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, source)
misc = types.ModuleType("utils.misc")
import contextlib
misc.dummy_context_mgr = contextlib.nullcontext
sys.modules["utils.misc"] = misc
import numpy as np, torch
import utils.ops as ops
from models import resnet
torch.manual_seed(0)
relu = torch.nn.ReLU(inplace=True)
modules = types.SimpleNamespace(
    g_bn=ops.ConditionalBatchNorm2d, g_act_fn=relu, d_act_fn=relu,
    d_bn=ops.batchnorm_2d,
    g_conv2d=ops.snconv2d, g_linear=ops.snlinear, g_embedding=ops.sn_embedding,
    d_conv2d=ops.snconv2d, d_linear=ops.snlinear, d_embedding=ops.sn_embedding,
)
model = types.SimpleNamespace(
    info_type="N/A", g_info_injection="N/A", info_num_discrete_c="N/A",
    info_num_conti_c="N/A",
)
where = {32: (2, 1), 64: (3, 1), 128: (4, 1)}[size]
known = dict(
    z_dim=24, g_shared_dim="N/A", img_size=size, g_conv_dim=width, d_conv_dim=width,
    apply_attn=True, attn_g_loc=[where[0]], attn_d_loc=[where[1]], g_cond_mtd="cBN",
    d_cond_mtd="PD", aux_cls_type="W/O", d_embed_dim="N/A", normalize_d_embed=False,
    num_classes=7, g_init="ortho", d_init="ortho", g_depth="N/A", d_depth="N/A",
    mixed_precision=False, apply_d_sn=True, MODULES=modules, MODEL=model,
)
def build(cls):
    names = list(inspect.signature(cls.__init__).parameters)[1:]
    return cls(**{name: known[name] for name in names})
G, D = build(resnet.Generator), build(resnet.Discriminator)
for step in range(20):  # training mode: moves u, v and the statistics
    z, y = torch.randn(16, 24), torch.randint(0, 7, (16,))
    with torch.no_grad():
        D(G(z, y), y)
with torch.no_grad():
    for network in (G, D):
        for name, p in network.named_parameters():  # now u, v are stale
            p.add_(0.05 * torch.randn_like(p) * p.abs().mean().clamp(min=0.1))
            if name.endswith("sigma"):
                p.fill_(0.6)
G.eval(), D.eval()
torch.save({"state_dict": G.state_dict(), "optimizer": None}, out + "/G.pth")
torch.save({"state_dict": D.state_dict(), "optimizer": None,
            "best_fid": np.float64(3.0), "step": 3}, out + "/D.pth")
z, y = torch.randn(6, 24), torch.randint(0, 7, (6,))
with torch.no_grad():
    images = G(z, y, eval=True)
    logits = D(images.clone(), y, eval=True)
if isinstance(logits, dict):
    logits = logits["adv_output"]
elif isinstance(logits, tuple):
    logits = logits[-1]
np.savez(out + "/out.npz", z=z, y=y, images=images, logits=logits)
"""
COMMITS = {1: "43b43f1~1", 2: "43b43f1", 3: "947b35e"}


@pytest.fixture(scope="module")
def peer(request, tmp_path_factory):
    """Function from generation, size and width to the folder that the peer wrote."""
    checkout = request.config.getoption("--studiogan", default=None)
    if checkout is None:
        pytest.skip("needs a checkout of PyTorch-StudioGAN: --studiogan PATH")

    def run(generation, size, width):
        folder = tmp_path_factory.mktemp(f"generation{generation}")
        commit = COMMITS[generation]
        archive = subprocess.run(
            ["git", "-C", checkout, "archive", commit, "src/utils", "src/models"],
            check=True,
            capture_output=True,
        )
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        arguments = [str(folder / "src"), str(folder), str(size), str(width)]
        subprocess.run([sys.executable, "-c", PROGRAM, *arguments], check=True)
        return folder

    return run


@pytest.mark.parametrize("generation", COMMITS)
@pytest.mark.parametrize(("size", "width"), [(32, 16), (128, 8)])
def test_images_and_logits(peer, generation, size, width):
    folder = peer(generation, size, width)
    gan = load_studiogan(folder / "G.pth", folder / "D.pth")
    out = np.load(folder / "out.npz")
    expected = out["images"].transpose(0, 2, 3, 1)
    assert expected.std() > 0.05
    labels = out["y"].astype("int32")
    images = gan.predict([out["z"], labels], verbose=0)
    logits = np.asarray(gan.discriminator([expected, labels])).ravel()
    scale = np.abs(out["logits"]).max()
    print(
        f"\ngeneration {generation}, {size} px: images differ by "
        f"{np.abs(images - expected).max():.1e}, logits by "
        f"{np.abs(logits - out['logits']).max() / scale:.1e} of the largest"
    )
    np.testing.assert_allclose(images, expected, atol=1e-5)
    np.testing.assert_allclose(logits, out["logits"], rtol=1e-4, atol=1e-4 * scale)
