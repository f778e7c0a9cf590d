"""Proof that a namespace is somebody's, exchanged for a registry token that lasts five minutes.

`exchanges` has one function for each kind of proof; `bearer` reads the token when it comes back. What is checked is
pure (`records`, `signed_times`, `id_tokens`, `tokens`); `dns`, `well_known`, `github` and `issuers` fetch, through the
guarded door or the operator's name servers.
"""
