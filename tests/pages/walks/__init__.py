"""The site as four people walk it, on a desktop and on a phone, in light and dark; and how long hosting takes."""
