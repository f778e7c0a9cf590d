"""The kinds of problem that the API tells of, by the `code` of their documents: what each means and what to do.

The docs page has an anchor for each, `#problem-CODE`, which is where a problem document's `type` leads. A test looks
for codes in the source that are missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_REQUEST: Final = {
    "invalid": "A field is missing, unknown, or of another form than the schema says; `errors` names it.",
    "parse_error": "The body is not JSON, or nested too deeply.",
    "unreadable": "The request could not be read to its end.",
    "length_required": "Send the length of the body with it (Content-Length).",
    "too_large": "The body is larger than this address takes.",
    "unsupported_media_type": "Send the body as one of the media types that the operation names.",
    "not_acceptable": "Ask for one of the media types that the operation answers with, or for any.",
    "method_not_allowed": "The address has no such method.",
    "not_found": "There is nothing at this address.",
    "cursor_unknown": "The cursor is none of this list. Begin without one.",
    "throttled": "Too many requests. Retry-After says when to come back.",
    "internal_error": "An error of ours, which was logged. The same request may work later.",
    "unavailable": "The database does not answer. Retry-After says when to come back.",
    "nothing_to_change": "The request names nothing to change.",
}
_WHO: Final = {
    "not_authenticated": "Send a token, as `Authorization: Bearer …`.",
    "authentication_failed": "The token is unknown, has expired or was revoked. Make a new one.",
    "permission_denied": "A request with a session has to come from a page of this site.",
    "insufficient_scope": "The token lacks the scope that the operation needs. Make one that has it.",
    "confirm_first": "A session makes keys only soon after signing in. Sign in again, or send a token.",
    "may_not_host_packages": "The account may not host packages. An operator of this site grants it.",
    "may_not_upload_source": "The account may not upload source. An operator of this site grants it.",
    "may_not_add_remotes": "The account may not add remote servers. An operator of this site grants it.",
    "may_not_allow_anonymous": "The account may not open servers to anybody. An operator of this site grants it.",
    "operators_only": "Only operators of this site may do this.",
    "user_inactive": "The account is switched off.",
    "user_unknown": "There is no account of that name.",
    "account_unknown": "There is no account of that name that you may host for.",
    "token_unknown": "There is no such token, or it isn't yours.",
    "tokens_too_many": "The account has as many tokens as it may have. Revoke one first.",
    "ttl_out_of_range": "A token lives for another time than was asked for; the message says which.",
    "scope_missing": "Name at least one scope.",
    "scope_unknown": "Name scopes that there are.",
    "not_a_member": "A private server is called by its owner and its members only.",
}
_DEPLOYMENT: Final = {
    "deployment_unknown": "There is no such server, or it isn't yours to see.",
    "deployment_exists": "The owner has a server of that name already. Choose another name.",
    "deployment_malformed": "A server is named as OWNER/NAME.",
    "deployment_name_invalid": "A server's name has letters, digits and single signs between them.",
    "deployment_name_missing": "Give the server a name.",
    "deployment_name_too_long": "The name is too long.",
    "origin_unclear": "Say what to host by exactly one of reference, url, server_json and an upload.",
    "bad_reference": "The reference names no package or address; the message says what is wrong with it.",
    "bad_server_json": "The server.json offers nothing that can be hosted here, or can't be read.",
    "bad_source": "The upload is no Python file or zip that can be hosted; the message says why.",
    "source_unknown": "The account has uploaded no source of this digest. Upload it.",
    "title_invalid": "A title is one short line.",
    "access_unknown": "Access is private or public.",
    "isolation_unknown": "The server can't be shared in that way.",
    "egress_unknown": "The network is public, listed or none.",
    "host_invalid": "One of the listed hosts is none.",
    "hosts_missing": "List at least one host, or choose no network.",
    "hosts_too_many": "Fewer hosts can be listed.",
    "limit_unknown": "There is no limit of that name.",
    "limit_out_of_range": "The limit is outside of what this site allows.",
    "idle_out_of_range": "The time is outside of what this site allows.",
    "hand_off_out_of_range": "The time is outside of what this site allows.",
    "approval_unknown": "Tools are approved by hand or taken as they are.",
    "credentials_unconfirmed": "Confirm that anonymous callers use the secrets in the server's settings.",
    "settings_invalid": "A setting has a value that can't be taken; `errors` names it.",
    "settings_sealed": "The secrets of the server can't be opened any more. Its owner sets them again.",
    "settings_suspended": "The address that secrets are sent to has changed. Its owner confirms or sets them again.",
    "suspension_changed": "What a secret is given to has changed once more. Look at the difference again.",
    "building": "The server is still being built. Retry-After says when to come back.",
    "stopped": "The server was stopped by its owner.",
    "failed": "The server can't run; the message says why.",
    "version_unknown": "The server has no such version.",
    "version_unusable": "That version was never built.",
    "entry_unknown": "The registry of this site has no such server, or no such version of it.",
    "taken_down": "The server was taken down from the registry of this site, so it is not hosted here.",
}
_RUNNING: Final = {
    "no_runner": "No runner can take the server at this moment. Retry-After says when to come back.",
    "not_placed": "The server is between two runners. Try again.",
    "runner_silent": "The runner that is concerned doesn't answer. Retry-After says when to come back.",
    "runner_away": "The server that is concerned can't be reached now. Try again in a moment.",
    "runner_gone": "The server that is concerned can't be reached now. Try again in a moment.",
    "data_away": "The server's data lies on a runner that doesn't answer.",
    "data_unknown": "There is no such data folder, or it isn't yours.",
    "data_of_another": "Only the person whose calls filled this folder may read it.",
    "data_unready": "The runner can't give this data folder now; the message says why.",
    "tool_unknown": "The server has no such tool.",
    "tool_changed": "The tool changed again meanwhile. Read what it says now, then approve that.",
    "tool_refused": "The owner's settings keep this tool from being called.",
    "tool_not_repeatable": "The tool does not say that it only reads or may be repeated.",
    "task_support_unknown": "A tool's tasks are optional, required or forbidden.",
}
_TASKS: Final = {
    "task_unknown": "There is no such task, or it isn't yours.",
    "task_over": "The task has ended already.",
    "tasks_off": "The server's owner does not let this tool run as a task.",
    "answered": "The question was answered already; this answer was not used.",
    "call_gone": "The call that asked is gone.",
    "not_started": "The task could not be started; the message says why.",
    "arguments_json": "Arguments are JSON.",
    "arguments_large": "The arguments are too long.",
    "arguments_object": "Arguments are a JSON object.",
    "ttl": "A time to live is a number of milliseconds.",
    "content_unknown": "The result has no such part.",
    "result_away": "The result can't be read at this moment. Try again.",
    "result_unknown": "The task has no result.",
}
_QUOTAS: Final = {
    "quota_deployments": "The account has as many servers as it may have. Delete one, or ask an operator.",
    "quota_awake_instances": "As many instances are awake as the account may have.",
    "quota_memory_bytes": "The account's awake instances may use no more memory.",
    "quota_build_seconds": "This month's minutes for builds are used up.",
    "quota_store_bytes": "The account keeps as much in the store as it may.",
    "quota_egress_bytes": "This month's bytes over the network are used up.",
}

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Requests": _REQUEST,
    "Accounts and tokens": _WHO,
    "Deployments": _DEPLOYMENT,
    "Runners, data and tools": _RUNNING,
    "Tasks": _TASKS,
    "Quotas": _QUOTAS,
}
CODES: Final[Mapping[str, str]] = {code: words for group in GROUPS.values() for code, words in group.items()}
