"""What Dagster runs: the assets, their checks, the schedules and the sensors, one module each."""
