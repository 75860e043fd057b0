"""Mail: what modules have to tell people by e-mail, sent by jobs."""
