"""One call by the client of fastmcp 4, which signs in by itself; prints the text of its result.

Arguments: MCP URL, how it proves itself (register, document, secret or key), and what that takes as JSON.
"""

import asyncio
import json
import sys
import warnings

from fastmcp import Client
from fastmcp.client.auth import ClientCredentialsOAuthProvider, OAuth, PrivateKeyJWTOAuthProvider, SignedJWTParameters

url, how, told = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
warnings.simplefilter("ignore")  # it keeps its tokens in memory, and says that it does


def auth():
    if how == "register":
        return OAuth(client_name="fastmcp")
    if how == "document":
        return OAuth(client_metadata_url=told["document"])
    if how == "secret":
        return ClientCredentialsOAuthProvider(url, client_id=told["id"], client_secret=told["secret"])
    signing = SignedJWTParameters(
        issuer=told["id"], subject=told["id"], signing_algorithm="ES256", signing_key=told["key"]
    )
    return PrivateKeyJWTOAuthProvider(url, client_id=told["id"], assertion_provider=signing.create_assertion_provider())


async def main():
    async with Client(url, auth=auth()) as client:
        result = await client.call_tool("echo", {"text": "hü"})
        print("RESULT " + result.content[0].text, flush=True)


asyncio.run(main())
