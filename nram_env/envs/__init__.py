"""The Gymnasium environments over the machine and the tasks."""
