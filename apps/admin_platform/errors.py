"""Refusals of administration."""

from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class VerificationFailed(Conflict):
    """The job that was to verify the log has failed or was canceled; facts: ``job_id``, ``state``."""

    code = "admin_platform.verification_failed"
    title = "The log was not verified to its end; ask for it again"


class AnchorsNeedWholeLog(Invalid):
    """Anchors sign the chain of all entries: an export that is filtered has none."""

    code = "admin_platform.anchors_need_whole_log"
    title = "Anchors come with the whole log alone: leave the filters out"


class FeatureUnknown(NotFound):
    """The code declares no such flag."""

    code = "admin_platform.feature_unknown"
    title = "There is no such feature"


class FeatureNotYours(Forbidden):
    """The operators of the installation alone decide this."""

    code = "admin_platform.feature_not_yours"
    title = "The operator of this installation decides this"


class FeatureForced(Conflict):
    """The operators have decided this for everybody for now; what the vault has chosen is kept and does not count; fact: ``value``."""

    code = "admin_platform.feature_forced"
    title = "The operator of this installation has decided this for all vaults for now"


class FeatureValueUnfit(Invalid):
    """The flag does not take this value; facts: ``kind``, and ``variants`` or ``least`` and ``most``."""

    code = "admin_platform.feature_value_unfit"
    title = "The feature cannot have this value"


class ConfigUnknown(NotFound):
    """The code declares no such setting."""

    code = "admin_platform.config_unknown"
    title = "There is no such setting"


class ConfigValueUnfit(Invalid):
    """The setting does not take this value; facts: ``key``, ``schema``."""

    code = "admin_platform.config_value_unfit"
    title = "The setting cannot have this value"


class ConfigChanged(Conflict):
    """Somebody has changed the setting meanwhile; fact: ``version``."""

    code = "admin_platform.config_changed"
    title = "Somebody has changed this setting meanwhile; look at it again"


class ConfigVersionUnknown(NotFound):
    """The setting never had this version."""

    code = "admin_platform.config_version_unknown"
    title = "There is no such version of the setting"


class FlagVersionUnknown(NotFound):
    """The flag never had this version."""

    code = "admin_platform.flag_version_unknown"
    title = "There is no such version of the flag"


class SiemAddressUnfit(Invalid):
    """Nothing can be sent to this address; fact: ``reason``."""

    code = "admin_platform.siem_address_unfit"
    title = "Nothing can be sent to this address"


class TooManySiemExports(Invalid):
    """The tenant has as many SIEM exports as it can have; fact: ``limit``."""

    code = "admin_platform.too_many_siem_exports"
    title = "The vault has as many SIEM exports as it can have"


class AuditNumberUnknown(Invalid):
    """The audit log has not come to this number; fact: ``head_number``, its last one."""

    code = "admin_platform.audit_number_unknown"
    title = "The audit log has no entry of this number yet"


class TokenNarrowed(Forbidden):
    """The audit log tells of all folders, so a token that is narrowed to one does not have it sent on."""

    code = "admin_platform.token_narrowed"
    title = "A token for one folder does not look after SIEM exports"
