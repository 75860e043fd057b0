{% extends "shell.html" %}{% load i18n %}
{% block title %}{% translate "Example module" %}{% endblock %}
{% block main %}
<main class="main" id="main" tabindex="-1" data-page="example_module" data-section="{{ section }}">
  <header class="topbar"><h1>{% translate "Example module" %}</h1></header>
  <ul>
    {% for version in page.items %}
    <li><a href="/api/v1/nodes/{{ version.node_id }}/content">{{ version.committed_at }}</a></li>
    {% empty %}
    <li>{% translate "You have not uploaded anything yet." %}</li>
    {% endfor %}
  </ul>
  {% if page.next_cursor %}<a class="button" href="?cursor={{ page.next_cursor|urlencode }}">{% translate "More" %}</a>{% endif %}
</main>
{% endblock %}
