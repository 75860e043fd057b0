"""The embedded stack on one machine: development and small installations. ``make up`` sets the environment."""

from bitvault.settings.base import *

DEBUG = False
BITVAULT_STRICT_BOUNDARIES = True

# No mail leaves the machine unless a mail server is named.
if ENV.mailbox_directory and not ENV.email_url:
    EMAIL_BACKEND = "bitvault.mail.mailbox.EmailBackend"
    BITVAULT_MAILBOX_DIRECTORY = ENV.mailbox_directory
