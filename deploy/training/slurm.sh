#!/bin/bash
# Four nodes with eight GPUs each, one worker a node:  sbatch slurm.sh
#SBATCH --job-name=sagan
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

port=2222
requeues=20 # at most: a mistake must not begin again for ever
workers=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed "s/\$/:$port/" | paste -sd,)

# --kill-on-bad-exit=0: the workers end each other, with a message of why.
status=0
# shellcheck disable=SC2016 # each worker expands its own
srun --kill-on-bad-exit=0 bash -c '
    exec keras-sagan train --preset sagan_128 --dataset folder:/data/pictures \
        --output runs/sagan-128 --strategy multi_worker \
        --workers "$0" --index "$SLURM_PROCID" --worker-timeout 900' "$workers" || status=$?

# 75: a worker was lost; 143: the time is up. Both go on at the last checkpoint.
case $status in
75 | 143)
    if [ "${SLURM_RESTART_COUNT:-0}" -lt "$requeues" ]; then
        scontrol requeue "$SLURM_JOB_ID"
    fi
    ;;
esac
exit "$status"
