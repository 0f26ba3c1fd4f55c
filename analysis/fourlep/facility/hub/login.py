"""Who may log in: nobody, unless a name or a group is allowed by a setting."""

from __future__ import annotations

from typing import Any

from fourlep.config.settings import names, one_of, secret, text
from fourlep.errors import ConfigError

#: Names become folders, pods and routes: no slashes, no leading dot.
_LOCAL_NAMES = r"^[a-z][a-z0-9_-]{0,31}$"
_FEDERATED_NAMES = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$"


def configure_login(c: Any) -> None:
    """Set the authenticator that ``FOURLEP_HUB_LOGIN`` names.

    Raises
    ------
    ConfigError
        If nobody is allowed, which is a mistake rather than a closed facility.
    """
    c.Authenticator.allow_all = False
    c.Authenticator.allowed_users = names("FOURLEP_HUB_USERS")
    c.Authenticator.admin_users = names("FOURLEP_HUB_ADMINS")
    if one_of("FOURLEP_HUB_LOGIN", ("password", "oidc"), "password") == "oidc":
        _configure_oidc(c)
    else:
        _configure_password(c)


def _configure_password(c: Any) -> None:
    if not names("FOURLEP_HUB_USERS"):
        raise ConfigError("FOURLEP_HUB_USERS is empty: nobody could log in")
    c.JupyterHub.authenticator_class = "shared-password"
    c.Authenticator.username_pattern = _LOCAL_NAMES
    c.SharedPasswordAuthenticator.user_password = secret("password")
    c.SharedPasswordAuthenticator.admin_password = secret("admin-password", required=False) or None


def _configure_oidc(c: Any) -> None:
    groups = names("FOURLEP_OIDC_GROUPS")
    if not groups and not names("FOURLEP_HUB_USERS"):
        raise ConfigError(
            "neither FOURLEP_OIDC_GROUPS nor FOURLEP_HUB_USERS is set: nobody could log in"
        )
    c.JupyterHub.authenticator_class = "generic-oauth"
    c.Authenticator.username_pattern = _FEDERATED_NAMES
    oidc = c.GenericOAuthenticator
    oidc.login_service = text("FOURLEP_OIDC_TITLE", "single sign-on")
    oidc.client_id = text("FOURLEP_OIDC_CLIENT_ID")
    oidc.client_secret = secret("oidc-client-secret")
    oidc.oauth_callback_url = text("FOURLEP_OIDC_CALLBACK_URL")
    oidc.authorize_url = text("FOURLEP_OIDC_AUTHORIZE_URL")
    oidc.token_url = text("FOURLEP_OIDC_TOKEN_URL")
    oidc.userdata_url = text("FOURLEP_OIDC_USERINFO_URL")
    oidc.username_claim = text("FOURLEP_OIDC_USERNAME_CLAIM", "preferred_username")
    oidc.scope = text("FOURLEP_OIDC_SCOPES", "openid profile").split()
    if groups:
        oidc.manage_groups = True
        oidc.auth_state_groups_key = text("FOURLEP_OIDC_GROUPS_KEY", "oauth_user.groups")
        oidc.allowed_groups = groups
        oidc.admin_groups = names("FOURLEP_OIDC_ADMIN_GROUPS")
