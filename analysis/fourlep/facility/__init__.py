"""The facility: hub, gateway, caches, and the programs that run and check them.

``hub`` and ``gateway`` are what the configuration files in ``images/`` are made of, for one
machine and for Kubernetes alike. They import nothing of fourlep but ``config.settings`` and
``errors``, hence run where fourlep is installed without its dependencies.
"""
