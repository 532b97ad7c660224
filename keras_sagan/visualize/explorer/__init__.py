"""The explorer, a page that shows what a trained model attends to."""
