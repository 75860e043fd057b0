# Example module

Say in two sentences what the module is for, and what it is not for.

## Tables (in each tenant's schema)
| table | one row is |
|---|---|
| `example_module_version` | a version that a person has committed |

## Doors (`api.py`)
`list_versions`, `start_cleanup`. Job: `example_module.forget` (versions that are older than a year).

## Events
In (consumer `example_module`): `files.version.committed`. Out: none.

## What holds
- A row for each version, however often its event is delivered.
- People see the rows of versions that they have committed, and no others.
