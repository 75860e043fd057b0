"""Statements that are hand-written because every request of a signed-in browser runs them, or because the ORM cannot say them."""

# The groups of a person and those that they lie in, by the index of group members.
_GROUPS = """ARRAY(
    SELECT DISTINCT held.group_id FROM public.identity_group_member AS inside
    JOIN public.identity_group AS grp ON grp.id = inside.group_id AND grp.tenant_id = member.tenant_id
    CROSS JOIN LATERAL (VALUES (grp.id), (grp.parent_id)) AS held(group_id)
    WHERE inside.user_id = member.user_id AND held.group_id IS NOT NULL
)"""

# Who holds a token, asked by each request of one that this process has not seen for 0.8 s, and who is signed in, asked by each request of
# a browser. Called by EXECUTE each takes 0.09 ms of the web process's CPU. The queryset of the same question (`queries.filter_valid`) takes
# 1.2 ms to be written down alone, of about 1.5 ms that a small request takes in all.
FIND_HOLDER = f"""
SELECT token.secret_hash, token.scopes, token.expires_at, token.last_used_at, token.user_id, member.role, given.permissions, {_GROUPS},
       tenant.id, tenant.slug, tenant.name
FROM public.identity_api_token AS token
JOIN public.identity_user AS person
  ON person.id = token.user_id AND person.is_active AND person.password_changed_at <= token.proved_at
JOIN public.identity_membership AS member
  ON member.user_id = token.user_id AND member.tenant_id = token.tenant_id AND member.state = 'active'
LEFT JOIN public.identity_role AS given ON given.id = member.custom_role_id
JOIN public.identity_tenant AS tenant ON tenant.id = token.tenant_id AND tenant.state = 'active'
WHERE token.id = %s AND token.revoked_at IS NULL
"""

FIND_SIGNED_IN = f"""
SELECT session.id, session.last_seen_at, session.user_id, member.role, given.permissions, {_GROUPS}, person.email, person.claimed_email,
       person.name, person.locale, person.time_zone, session.impersonation_id
FROM public.identity_session AS session
JOIN public.identity_user AS person
  ON person.id = session.user_id AND person.is_active AND person.password_changed_at <= session.proved_at
JOIN public.identity_membership AS member
  ON member.user_id = session.user_id AND member.tenant_id = session.tenant_id AND member.state = 'active'
LEFT JOIN public.identity_role AS given ON given.id = member.custom_role_id
JOIN public.identity_tenant AS tenant ON tenant.id = session.tenant_id AND tenant.state = 'active'
WHERE session.session_key = %s AND session.tenant_id = %s AND session.expire_date > %s
"""

# When a credential was last used. SKIP LOCKED: of many requests that come at once one notes the time, and none waits. The ORM locks rows in
# transactions alone, and this is one statement without one.
_TOUCH = """
UPDATE public.{table} SET {column} = %s WHERE id = (
    SELECT id FROM public.{table} WHERE id = %s AND ({column} IS NULL OR {column} < %s) FOR UPDATE SKIP LOCKED
)
"""
TOUCH_TOKEN = _TOUCH.format(table="identity_api_token", column="last_used_at")
TOUCH_SESSION = _TOUCH.format(table="identity_session", column="last_seen_at")
