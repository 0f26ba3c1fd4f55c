"""Jupyter Server of every user, on one machine and in the analysis image."""

c = get_config()
c.ServerApp.jpserver_extensions = {"fourlep.facility.jupyter_extension": True}
# The dashboards of the owner's clusters are enough; a cluster's ports are nobody's page.
c.ServerProxy.host_allowlist = []
