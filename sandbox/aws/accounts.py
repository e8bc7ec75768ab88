"""Which account an access key belongs to; a test may move a key to another account while calls are running."""

from moto.iam.models import get_account_id_from

DEFAULT_ACCOUNT = "123456789012"


class Accounts:
    """Access key -> account id. A key that nobody mapped is looked up in moto (assumed roles), else in the default."""

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}

    def of(self, access_key: str) -> str:
        """The 12 digits of the key's account."""
        return self._by_key.get(access_key) or str(get_account_id_from(access_key))

    def is_mapped(self, access_key: str) -> bool:
        """Whether a test gave the key its account."""
        return access_key in self._by_key

    def put(self, access_key: str, account: str) -> None:
        """Let a key belong to an account from now on."""
        self._by_key[access_key] = account

    def clear(self) -> None:
        """Forget every mapping."""
        self._by_key.clear()
