// An OpenID Connect provider on a free port of loopback. Its first line of input is JSON: the redirect_uris of
// the client. Each further line is JSON too: an account, such as {"sub": "1", "name": "Rima", "groups": []};
// it is answered with "known". Ends when the input ends.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

console.info = console.warn = console.error; // standard output is for answers alone

const accounts = new Map();
const lines = createInterface({ input: process.stdin });
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

function start(redirectUris) {
  const provider = new Provider(issuer, {
    clients: [
      { client_id: "nabd", client_secret: "a secret of tests", redirect_uris: redirectUris },
      { client_id: "public", token_endpoint_auth_method: "none", redirect_uris: redirectUris },
    ],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username", "locale"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
    // Nobody is asked whether Nabd may know: signing in is enough.
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope("openid profile email groups");
      await grant.save();
      return grant;
    },
  });
  server.on("request", provider.callback());
  console.log(`ready ${issuer}`);
}

let started = false;
lines.on("line", (line) => {
  const said = JSON.parse(line);
  if (started) {
    accounts.set(said.sub, said);
    console.log("known");
  } else {
    started = true;
    start(said);
  }
});
lines.on("close", () => process.exit(0));
