"""The line in a README that says whose a package is."""

from __future__ import annotations

import pytest

from registry.ownership.markers import is_named, visible_text

NAME = "org.example/weather"


@pytest.mark.parametrize(
    "text",
    [
        "mcp-name: org.example/weather", "<!-- mcp-name: org.example/weather -->",
        "<!--mcp-name: org.example/weather-->",
        "`mcp-name: org.example/weather`", "mcp-name: org.example/weather.", "mcp-name: org.example/weather, and so on",
        "# Title\n\nmcp-name: org.example/weather\nmore", "mcp-name:org.example/weather",
        "(mcp-name: org.example/weather)", "mcp-name: org.example/other\nmcp-name: org.example/weather",
    ],
)  # fmt: skip
def test_name_is_found(text: str) -> None:
    assert is_named(text, NAME)


@pytest.mark.parametrize(
    "text",
    [
        "", "org.example/weather", "mcp-name: org.example/weather-evil", "mcp-name: org.example/weather2",
        "mcp-name: org.example/weather.evil", "mcp-name: org.example/weather_evil", "mcp-name: org.example/weather/x",
        "mcp-name: org.example/weather--evil", "mcp-name: org-example/weather", "mcp-name: Org.Example/weather",
        "mcp-name:\norg.example/weather", "not-mcp-name: org.example/weather", "mcp-name: xorg.example/weather",
        "mcp-name: com.org.example/weather", "xmcp-name: org.example/weather", "MCP-NAME: org.example/weather",
    ],
)  # fmt: skip
def test_what_is_not_the_name_is_not_taken_for_it(text: str) -> None:
    """Threat 34: whoever may publish `…/weather-evil` must not get `…/weather` with it."""
    assert not is_named(text, NAME)


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        ("<p>mcp-name: org.example/weather</p>", True),
        ("<ul><li>mcp-name: org.example/weather</li><li>more</li></ul>", True),
        ("<p>mcp-name: <code>org.example/weather</code>.</p>", True),
        ("<p>mcp-name: org.example&#x2F;weather</p>", True),
        ("<!-- mcp-name: org.example/weather -->", False),
        ('<p title="mcp-name: org.example/weather">x</p>', False),
        ("<script>mcp-name: org.example/weather</script>", False),
        ("<p>mcp-name: org.example/weather<b>-evil</b></p>", False),
    ],
)
def test_only_what_readers_see_of_a_page_counts(html: str, visible: bool) -> None:
    assert is_named(visible_text(html), NAME) is visible
