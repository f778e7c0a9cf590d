"""Why uploaded source is refused or can't be built: zips, scripts, pyproject.toml and package.json."""

from __future__ import annotations

from django.utils.translation import gettext_noop

MESSAGES = (
    # the upload
    gettext_noop(
        "Source is one Python file (NAME.py) or a zip (NAME.zip), with a name of letters, digits, “-”, “_”, “.” and "
        "spaces."
    ),
    gettext_noop("%(file)s is empty."),
    gettext_noop("%(file)s is larger than %(size)s."),
    gettext_noop("%(file)s is larger than %(size)s. Leave out what isn't source, such as node_modules."),
    gettext_noop("%(file)s isn't UTF-8 text."),
    gettext_noop("%(file)s isn't text: it has NUL characters."),
    gettext_noop("There is no %(path)s in %(file)s."),
    gettext_noop("The uploaded source isn't there any more. Upload it again."),
    # a zip
    gettext_noop("This isn't a zip that can be read: it is damaged, or something else by that name."),
    gettext_noop("There is no source in this zip."),
    gettext_noop(
        "This zip has %(count)s entries, and %(limit)s is the limit. Leave out what isn't source, such as node_modules."
    ),
    gettext_noop("Unpacked, this zip is larger than %(size)s."),
    gettext_noop("Entries of this zip overlap, as they do in zip bombs. Make it anew with an ordinary tool."),
    gettext_noop("%(file)s unfolds to more than %(count)s times its size, as zip bombs do."),
    gettext_noop("Two entries of this zip have one name or differ in case only: %(name)s and %(other)s."),
    gettext_noop("This zip is encrypted. Upload it without a password."),
    gettext_noop("%(file)s is packed in a way that Slipway doesn't read. Make the zip with “deflate”."),
    gettext_noop("The name %(file)s isn't UTF-8. Make the zip with a tool that writes UTF-8."),
    gettext_noop("%(file)s is a symbolic link. Put the file itself into the zip."),
    gettext_noop("%(file)s is neither a file nor a folder."),
    gettext_noop("%(file)s is an absolute path. Paths in a zip begin at its own top."),
    gettext_noop("%(file)s has a backslash or a control character in its name."),
    gettext_noop("%(file)s leads out of the zip's own folder."),
    gettext_noop("%(file)s is no plain path: an empty part, “.”, or a part that ends with a dot or a space."),
    gettext_noop("%(file)s is too long or lies too deep."),
    gettext_noop("%(file)s doesn't have the size that the zip says it has."),
    # a script
    gettext_noop(
        "%(file)s has no inline metadata, so it runs with the standard library alone. Name its dependencies in a “# "
        "/// script” block (PEP 723)."
    ),
    gettext_noop("%(file)s has more than one “# /// script” block."),
    gettext_noop("The “# /// script” block of %(file)s isn't TOML: %(error)s."),
    # a project
    gettext_noop(
        "%(file)s has neither pyproject.toml nor package.json at its top. Add one that names the dependencies, or "
        "upload a single Python file with inline metadata."
    ),
    gettext_noop('%(file)s: requires-python must be a text such as ">=3.11".'),
    gettext_noop('%(file)s: dependencies must be a list of texts such as "httpx>=0.28".'),
    gettext_noop("%(file)s names more than %(count)s dependencies."),
    gettext_noop("%(file)s: requires-python is no version specifier: %(bound)s."),
    gettext_noop("%(file)s needs Python %(bound)s, and this site runs %(python)s."),
    gettext_noop("%(file)s: “%(text)s” isn't a dependency as PEP 508 writes it."),
    gettext_noop("%(file)s needs %(missing)s from an address. Slipway installs from the package index only."),
    gettext_noop("pyproject.toml isn't TOML: %(error)s."),
    gettext_noop(
        "pyproject.toml has no [project] table, which is where dependencies and scripts are read from.%(hint)s"
    ),
    gettext_noop("pyproject.toml leaves its dependencies to its build backend. Write them into [project]."),
    gettext_noop("pyproject.toml: [project] has no name."),
    gettext_noop("[tool.uv.sources] isn't followed: %(names)s came from the index."),
    gettext_noop("pyproject.toml: the script %(script)s isn't written as “module:function”."),
    gettext_noop(
        "The script %(script)s starts %(entry)s, and there is no module %(module)s in src or at the top. Put it "
        "there, or allow install code for this server, so that its build backend runs."
    ),
    gettext_noop(
        "It isn't clear what to start: pyproject.toml has no [project.scripts], and there is no server.py, no single "
        "Python file at the top and no single package with __main__.py."
    ),
    gettext_noop("package.json isn't JSON: %(error)s."),
    gettext_noop("package.json isn't an object."),
    gettext_noop(
        "package.json needs %(missing)s from outside the npm registry (%(wanted)s). Slipway installs from the "
        "registry only."
    ),
    gettext_noop(
        "package.json doesn't say what to start: it has no “bin”, no “main”, and no script “start” of the form “node "
        "FILE”."
    ),
    gettext_noop(
        "package.json starts %(file)s (%(said)s), and the zip has no such file. If a build step makes it, run that "
        "before you make the zip."
    ),
)
PARTS = (
    gettext_noop(" Poetry 2 and newer writes that table, too."),
    gettext_noop("its script “start” (%(script)s)"),
    gettext_noop("%(count)s MB"),
    gettext_noop("%(count)s KB"),
)
