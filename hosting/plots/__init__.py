"""Small plots that the server draws as SVG: `geometry` knows lengths only, `activity` what is shown and its words."""
