"""Publishing from the pages: a form becomes a server.json, is checked as publishing would, and its namespace is proven.

forms.py       the fields; what they mean is for validation to judge
documents.py   fields → server.json                                   pure
checking.py    a server.json → what is wrong, beside which field      pure
proving.py     what the person at the browser has proven in this session
"""
