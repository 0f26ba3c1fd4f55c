"""What ``images/hub/jupyterhub_config.py`` is made of."""
