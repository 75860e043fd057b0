import pytest

from bitvault.kernel import tenancy


@pytest.fixture
def upload(acme, actor):
    """Commit a file of a size through the door; the bytes themselves are the store's matter."""
    from uuid import uuid4

    from apps.files import api as files

    def commit(parent_id, name: str, size_bytes: int, mode: str = "add", by=None):
        with tenancy.entered(acme):
            grant = files.authorise_upload(
                actor=by or actor, parent_id=parent_id, name=name, mode=mode, size_bytes=size_bytes
            )
            return files.commit_upload(
                actor=by or actor,
                upload_id=uuid4(),
                grant=grant,
                blob_id=uuid4(),
                size_bytes=size_bytes,
                content_hash=uuid4().hex * 2,
                media_type="text/plain",
                client_modified_at=None,
            ).node

    return commit


@pytest.fixture
def root_id(acme, actor):
    from apps.files import api as files

    with tenancy.entered(acme):
        return files.ensure_personal_root(actor=actor).id
