// A real OpenID provider for tests: oidc-provider on a free port of 127.0.0.1 over TLS.
//
//   node server.mjs SETTINGS     a file in JSON: certificate, key (paths), clients (as oidc-provider has them), people (login: address)
//
// Writes its address as the first line. Besides what oidc-provider answers by itself, a test can ask
//
//   POST /test/expire            every access token is over, as if its time were
//   POST /test/revoke            every grant is taken back, as people do it on a page of their account
//   GET  /test/events            what became of tokens, oldest first
//
// Its sign-in and consent pages are oidc-provider's own: plain forms, which take a login without a password.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { Provider } from 'oidc-provider';

const settings = JSON.parse(readFileSync(process.argv[2]));
const events = [];
const accessTokens = new Set();
const grants = new Set();

// A token's name in events tells it from others and gives nothing away.
const named = (id) => createHash('sha256').update(id).digest('hex').slice(0, 12);

const tls = { cert: readFileSync(settings.certificate), key: readFileSync(settings.key) };
const server = createServer(tls, (request, response) => answer(request, response));
let answer;

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: settings.clients,
    scopes: ['openid', 'offline_access', 'mail.send', 'mail.read'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    features: { introspection: { enabled: true }, revocation: { enabled: true } },
    pkce: { required: () => true },
    // Whoever brings a refresh token twice loses the grant.
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Grant: 86400, Session: 3600, Interaction: 600 },
    cookies: { keys: ['of one test'] },
    findAccount: (ctx, login) => {
      const email = settings.people[login];
      return email && { accountId: login, claims: () => ({ sub: login, email, email_verified: true }) };
    },
    // What the mail servers learn about a token when they ask.
    extraTokenClaims: (ctx, token) => ({ email: settings.people[token.accountId] }),
  });
  provider.on('access_token.saved', (it) => accessTokens.add(it));
  provider.on('grant.saved', (it) => grants.add(it));
  for (const what of ['saved', 'consumed']) {
    provider.on(`refresh_token.${what}`, (it) => events.push({ event: `refresh_token.${what}`, token: named(it.jti) }));
  }
  provider.on('grant.success', (ctx) => events.push({ event: 'granted', by: ctx.oidc.params.grant_type, client: ctx.oidc.client.clientId }));
  provider.on('grant.revoked', () => events.push({ event: 'grant.revoked' }));
  provider.on('grant.error', (ctx, error) => events.push({ event: 'refused', by: ctx.oidc.params?.grant_type, error: error.error, words: error.error_detail ?? error.error_description }));
  provider.on('server_error', (ctx, error) => console.error(error));

  const ours = {
    'POST /test/expire': async () => {
      for (const it of accessTokens) await it.destroy();
      accessTokens.clear();
    },
    'POST /test/revoke': async () => {
      for (const it of grants) await it.destroy();
      grants.clear();
    },
    'GET /test/events': () => events,
  };
  const callback = provider.callback();
  answer = async (request, response) => {
    const asked = ours[`${request.method} ${request.url}`];
    if (!asked) return callback(request, response);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify((await asked()) ?? null));
  };
  console.log(issuer);
});
