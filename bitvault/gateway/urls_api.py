"""The REST surface, one path for each resource; docs/openapi.json is the same as a document."""

from django.urls import include, path

from bitvault.gateway import (
    archives,
    content,
    copying,
    extracting,
    jobs,
    link_content,
    link_uploads,
    me,
    quotas,
    upload_batches,
    uploads,
    versions,
)
from bitvault.gateway.openapi import SchemaDocument

# Django tries one after another: what is asked most comes first.
urlpatterns = [
    path("uploads", uploads.Uploads.as_view()),
    path("uploads/batch", upload_batches.UploadBatch.as_view()),
    path("uploads/batch/commit", upload_batches.UploadBatchCommit.as_view()),
    path("uploads/<uuid:upload_id>/commit", uploads.UploadCommit.as_view()),
    path("uploads/<uuid:upload_id>/parts", uploads.UploadParts.as_view()),
    path("uploads/<uuid:upload_id>", uploads.UploadDetail.as_view()),
    path("nodes/<node_ref:node_id>/content", content.NodeContent.as_view()),
    path("nodes/<uuid:node_id>/copy", copying.NodeCopy.as_view()),
    path("nodes/<uuid:node_id>/extract", extracting.NodeExtract.as_view()),
    path("nodes/<uuid:node_id>/versions/<uuid:version_id>/restore", versions.VersionRestore.as_view()),
    path("", include("apps.files.rest.urls")),
    path("", include("apps.sharing.rest.urls")),
    path("public/links/<str:token>/content/<uuid:node_id>", link_content.PublicLinkContent.as_view()),
    path("public/links/<str:token>/folders", link_uploads.PublicFolders.as_view()),
    path("public/links/<str:token>/uploads", link_uploads.PublicUploads.as_view()),
    path("public/links/<str:token>/uploads/<uuid:upload_id>", link_uploads.PublicUploadDetail.as_view()),
    path("public/links/<str:token>/uploads/<uuid:upload_id>/parts", link_uploads.PublicUploadParts.as_view()),
    path("public/links/<str:token>/uploads/<uuid:upload_id>/commit", link_uploads.PublicUploadCommit.as_view()),
    path("", include("apps.links.rest.urls")),
    path("me", me.Me.as_view()),
    path("", include("apps.identity.rest.urls")),
    path("quotas", quotas.Quotas.as_view()),
    path("", include("apps.billing.rest.urls")),
    path("quotas/<str:scope>", quotas.ScopeLimit.as_view()),
    path("", include("apps.admin_platform.rest.urls")),
    path("", include("apps.sync.rest.urls")),
    path("", include("apps.search.rest.urls")),
    path("", include("apps.previews.rest.urls")),
    path("", include("apps.notifications.rest.urls")),
    path("", include("apps.webhooks.rest.urls")),
    path("archives", archives.Archives.as_view()),
    path("jobs/<uuid:job_id>/content", archives.JobContent.as_view()),
    path("", include("apps.annotations.rest.urls")),
    path("jobs", jobs.Jobs.as_view()),
    path("jobs/<uuid:job_id>", jobs.JobDetail.as_view(), name="job"),
    path("schema/", SchemaDocument.as_view()),
]
