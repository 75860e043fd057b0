"""The OpenSearch engine. Its libraries are loaded only in installations that have chosen it: nothing else imports from here at the top."""
