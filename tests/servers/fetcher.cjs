// Every way in which Node.js servers reach the network, none of which is told of a proxy. Prints one JSON line.
const [base, host, port] = process.argv.slice(2);
const https = require("node:https");
const tls = require("node:tls");
const http2 = require("node:http2");
const dns = require("node:dns");

const ways = {
  fetch: async () => (await fetch(base)).text(),
  "https.get": () =>
    new Promise((done, failed) =>
      https.get(base, (answer) => answer.setEncoding("utf8").on("data", done)).on("error", failed)),
  "tls.connect": () =>
    new Promise((done, failed) => {
      const socket = tls.connect({ host, port, servername: host }, () =>
        socket.write("GET / HTTP/1.0\r\n\r\n"));
      socket.setEncoding("utf8").on("data", (text) => done(text.split("\r\n\r\n")[1])).on("error", failed);
    }),
  "http2.connect": () =>
    new Promise((done, failed) => {
      const session = http2.connect(base);
      session.on("connect", () => { session.destroy(); done("connected"); }).on("error", failed);
    }),
  "dns.lookup": async () => (await dns.promises.lookup(host)).address,
  "dns.resolve4": async () => (await dns.promises.resolve4(host))[0],
  "no such name": async () => (await fetch("https://missing.example.org/")).text(),
};

(async () => {
  const found = {};
  for (const [name, way] of Object.entries(ways)) {
    try { found[name] = await way(); } catch (error) { found[name] = `${(error.cause ?? error).code ?? error}`; }
  }
  console.log(JSON.stringify(found));
  process.exit(0);
})();
