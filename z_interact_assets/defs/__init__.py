"""The Dagster side: assets, checks, jobs, resources. Bodies are a few lines; what they do lives in the services."""
