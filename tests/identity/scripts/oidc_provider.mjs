// npm's oidc-provider as an organization's identity provider, over TLS. Issuing ID-JAGs (SEP-990) is one more grant.
// Argument: what `tests.identity.idps.Settings` says, as JSON. Prints its issuer; ends when its standard input does.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider, { errors } from "oidc-provider";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN_TYPE = "urn:ietf:params:oauth:token-type:";
const settings = JSON.parse(process.argv[2]);
const pem = readFileSync(settings.pem);
const server = createServer({ key: pem, cert: pem });
await new Promise((done) => server.listen(0, "localhost", done));
const issuer = `https://localhost:${server.address().port}`;
const jwk = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };

const provider = new Provider(issuer, {
  clients: Object.entries(settings.clients).map(([client_id, [client_secret, redirect_uri, token_endpoint_auth_method]]) => ({
    client_id, client_secret, token_endpoint_auth_method, redirect_uris: [redirect_uri], grant_types: ["authorization_code", EXCHANGE],
  })),
  // A person's address is what its own account says; the password is asked for and, in these interactions, not looked at.
  findAccount: (_, sub) => settings.people[sub] && {
    accountId: sub,
    claims: () => ({ sub, preferred_username: sub, email: `${sub}@acme.example`, email_verified: true }),
  },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  cookies: { keys: [randomUUID()] },
  features: { devInteractions: { enabled: true } },
  jwks: { keys: [jwk] },
  pkce: { required: () => false },
});

// RFC 8693 for ID-JAGs: somebody's ID token for a word to another site, where the organization lets them in.
provider.registerGrantType(EXCHANGE, async (ctx) => {
  const { client, params } = ctx.oidc;
  if (params.requested_token_type !== `${TOKEN_TYPE}id-jag`) throw new errors.InvalidRequest("an ID-JAG, or nothing");
  const { payload } = await provider.IdToken.validate(params.subject_token, client).catch(() => {
    throw new errors.InvalidGrant("no ID token of this provider for this client");
  });
  if (!settings.admitted.includes(payload.sub) || params.audience !== settings.site) {
    throw new errors.InvalidGrant("the organization does not let this person in there");
  }
  const now = Math.floor(Date.now() / 1000);
  ctx.body = {
    issued_token_type: `${TOKEN_TYPE}id-jag`, token_type: "N_A", expires_in: 300,
    access_token: signed({ alg: "RS256", typ: "oauth-id-jag+jwt", kid: jwk.kid }, {
      iss: issuer, sub: payload.sub, aud: settings.site, client_id: settings.client_there, jti: randomUUID(),
      iat: now, exp: now + 300, resource: params.resource, scope: "mcp:read mcp:call",
    }),
  };
}, ["audience", "resource", "requested_token_type", "subject_token", "subject_token_type"]);

function signed(...parts) {
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
