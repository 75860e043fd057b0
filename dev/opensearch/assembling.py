"""Making a server of jars: Maven fetches them, and each goes where the server looks for it."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "2.19.6"
JAVA_LEVEL = "17"
FETCH_SECONDS = 300
ASSEMBLED = HERE / "assembled" / VERSION
"""Where it is kept for all nodes of this tree."""

TOOLS = ("java", "javac", "jar", "mvn")

_NETWORK = 'permission java.net.SocketPermission "*", "accept,connect,listen,resolve";'
_LOADER = 'permission java.lang.RuntimePermission "getClassLoader";'


class NotHere(Exception):
    """This machine cannot run a node; the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the server in a folder of its own: its class, the beginnings of its jars' names, and what it may do."""

    name: str
    plugin: str
    jars: tuple[str, ...]
    extends: str = ""
    policy: str = ""


MODULES = (
    Module(
        "transport-netty4",
        "org.opensearch.transport.Netty4Plugin",
        ("transport-netty4-client", "netty-"),
        # Without the class loaders' permissions a node takes minutes to end.
        policy=f"""{_NETWORK} {_LOADER}
        permission java.lang.RuntimePermission "setContextClassLoader";
        permission java.lang.RuntimePermission "accessDeclaredMembers";
        permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
        permission java.util.PropertyPermission "sun.nio.ch.bugLevel", "write";""",
    ),
    Module(
        "lang-painless",
        "org.opensearch.painless.PainlessPlugin",
        ("lang-painless", "opensearch-scripting-painless-spi", "asm-", "antlr4-runtime"),
        policy=f'permission java.lang.RuntimePermission "createClassLoader"; {_LOADER}',
    ),
    Module(
        "analysis-common",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
        ("analysis-common",),
        extends="lang-painless",
    ),
    Module(
        "reindex",
        "org.opensearch.index.reindex.ReindexPlugin",
        (
            "reindex-client",
            "opensearch-rest-client",
            "opensearch-ssl-config",
            "http",
            "commons-codec",
            "commons-logging",
        ),
        policy=_NETWORK,
    ),
    Module("bitvault-node", "bitvault.node.PasswordPlugin", ("bitvault-node",)),
)


def find_missing() -> str | None:
    """Name what this machine lacks to make a node, or None."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"{', '.join(missing)} not installed" if missing else None


def assemble(home: Path) -> None:
    """Make a server in a folder that is not there yet; what is there stays as it is. Needs Maven's repository or its cache.

    :raises NotHere: a tool is missing, or the jars cannot be fetched.
    """
    if home.is_dir():
        return
    missing = find_missing()
    if missing is not None:
        raise NotHere(missing)
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="assembling-") as name:
        work = Path(name)
        jars = work / "jars"
        _fetch(work, jars)
        _compile(work, jars)
        _lay_out(jars, work / "home")
        _publish(work / "home", home)


def _fetch(work: Path, jars: Path) -> None:
    shutil.copy(HERE / "pom.xml", work)
    command = ["mvn", "-B", "-q", f"-Dopensearch.version={VERSION}", "dependency:copy-dependencies"]
    try:
        subprocess.run(
            [*command, f"-DoutputDirectory={jars}"], cwd=work, check=True, capture_output=True, timeout=FETCH_SECONDS
        )
    except subprocess.SubprocessError as error:
        raise NotHere("Maven cannot fetch OpenSearch's artifacts") from error


def _compile(work: Path, jars: Path) -> None:
    """Compile the plugin that asks for a password."""
    classes = work / "classes"
    source = HERE / "plugin" / "bitvault" / "node" / "PasswordPlugin.java"
    commands = (
        ["javac", "-nowarn", "--release", JAVA_LEVEL, "-cp", f"{jars}/*", "-d", str(classes), str(source)],
        ["jar", "cf", str(jars / "bitvault-node.jar"), "-C", str(classes), "."],
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_SECONDS)


def _lay_out(jars: Path, home: Path) -> None:
    """Put each module's jars into its folder, and all others into ``lib``."""
    left = {jar.name: jar for jar in jars.glob("*.jar")}
    for module in MODULES:
        folder = home / "modules" / module.name
        folder.mkdir(parents=True)
        for name in [name for name in left if name.startswith(module.jars)]:
            shutil.copy(left.pop(name), folder / name)
        (folder / "plugin-descriptor.properties").write_text(_describe(module))
        if module.policy:
            (folder / "plugin-security.policy").write_text(f"grant {{\n{module.policy}\n}};\n")
    # The server makes these when they are missing, and may not write here.
    for name in ("bin", "plugins", "lib"):
        (home / name).mkdir()
    for name, jar in left.items():
        shutil.copy(jar, home / "lib" / name)


def _describe(module: Module) -> str:
    facts = {
        "name": module.name,
        "description": module.name,
        "version": VERSION,
        "opensearch.version": VERSION,
        "java.version": JAVA_LEVEL,
        "classname": module.plugin,
        "extended.plugins": module.extends,
        "has.native.controller": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in facts.items())


def _publish(made: Path, home: Path) -> None:
    """Let every account read it, and give it its name at once: another process may have been faster."""
    for folder, _, files in os.walk(made):
        Path(folder).chmod(0o755)
        for file in files:
            (Path(folder) / file).chmod(0o644)
    try:
        made.rename(home)
    except OSError:
        if not home.is_dir():
            raise
