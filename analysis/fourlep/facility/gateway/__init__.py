"""What ``images/gateway/dask_gateway_config.py`` is made of."""
