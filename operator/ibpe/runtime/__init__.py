"""The running process: queue, workers, AWS watches, settings, metrics, health."""
