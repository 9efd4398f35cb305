"""Providers' own usage and cost reports, fetched or read from a file into the warehouse that dbt's target names."""
