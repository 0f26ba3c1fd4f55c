"""Jupyter Server of every user, on one machine and in the analysis image."""

c = get_config()
c.ServerApp.jpserver_extensions = {"fourlep.facility.jupyter_extension": True}
# The dashboards of the owner's clusters are enough; a cluster's ports are nobody's page.
c.ServerProxy.host_allowlist = []
# The facility says what is new; a server does not ask the outside, nor the user whether to
# (labconfig/page_config.json).
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
