// A story played by the TypeScript SDK's client; prints what it saw as JSON.
//
// Read from standard input by a node that was started in the folder of the packages, which is where imports are looked
// up. Arguments: SDK ("1" or "2"), mode ("legacy", "auto" or a revision), story, MCP URL, token, and for the story
// `call` the tool and its arguments as JSON.

const [version, mode, story, url, token, tool, toolArguments] = process.argv.slice(2);
const INFO = { name: 'typescript', version: '1' };
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const seen = { progress: [], logs: [], asked: [], errors: [] };

const answers = {
  'elicitation/create': (request) => {
    seen.asked.push(request.params.message);
    return { action: 'accept', content: { name: 'Ada' } };
  },
  'sampling/createMessage': (request) => {
    seen.asked.push(request.params.messages[0].content.text);
    return { role: 'assistant', model: 'none', content: { type: 'text', text: 'something' } };
  },
};
const noted = (notification) => seen.logs.push(notification.params.data);

async function sdk1() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport: Transport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  const make = (capabilities) => new Client(INFO, { capabilities });
  const handle = (client, method) =>
    client.setRequestHandler(
      { 'elicitation/create': types.ElicitRequestSchema, 'sampling/createMessage': types.CreateMessageRequestSchema }[method],
      answers[method],
    );
  const onLog = (client) => client.setNotificationHandler(types.LoggingMessageNotificationSchema, noted);
  const call = (client, params, options) => client.request({ method: 'tools/call', params }, types.CallToolResultSchema, options);
  return { make, handle, onLog, call, Transport };
}

async function sdk2() {
  const { Client, StreamableHTTPClientTransport: Transport } = await import('@modelcontextprotocol/client');
  const versionNegotiation = { mode: ['legacy', 'auto'].includes(mode) ? mode : { pin: mode } };
  const make = (capabilities) => new Client(INFO, { capabilities, versionNegotiation });
  const handle = (client, method) => client.setRequestHandler(method, answers[method]);
  const onLog = (client) => client.setNotificationHandler('notifications/message', noted);
  const call = (client, params, options) => client.request({ method: 'tools/call', params }, options);
  return { make, handle, onLog, call, Transport };
}

const sdk = version === '1' ? await sdk1() : await sdk2();
const HEADERS = { Authorization: `Bearer ${token}` };
const text = (result) => result.content[0].text;

async function connect(options = {}, setUp = true) {
  const client = sdk.make({ elicitation: {}, sampling: {} });
  client.onerror = (error) => seen.errors.push(String(error));
  if (setUp) {
    Object.keys(answers).forEach((method) => sdk.handle(client, method));
    sdk.onLog(client);
  }
  const transport = new sdk.Transport(new URL(url), { requestInit: { headers: HEADERS }, ...options });
  await client.connect(transport);
  return { client, transport };
}

const isModern = (client) => client.getNegotiatedProtocolVersion?.() >= '2026';

const stories = {
  // Connect, list, call once, and once what the server refuses.
  async call() {
    const { client, transport } = await connect();
    seen.protocol = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
    seen.server = client.getServerVersion()?.name;
    seen.tools = (await client.listTools()).tools.map((one) => one.name);
    seen.text = text(await client.callTool({ name: tool, arguments: JSON.parse(toolArguments) }));
    const refused = await client.callTool({ name: 'no-such-tool', arguments: {} }).catch((error) => error);
    seen.refused = refused instanceof Error ? refused.message : text(refused);
    if (seen.tools.includes('ask')) seen.answered = JSON.parse(text(await client.callTool({ name: 'ask', arguments: {} })));
    await transport.terminateSession();
    await client.close();
  },

  async features() {
    const { client } = await connect();
    const onprogress = (progress) => seen.progress.push(progress.progress);
    seen.text = text(await client.callTool({ name: 'progress' }, ...(version === '1' ? [undefined] : []), { onprogress }));
    if (!isModern(client)) await client.setLoggingLevel('info');
    await client.callTool({ name: 'log', ...(isModern(client) && { _meta: { [LOG_LEVEL]: 'info' } }) });
    seen.sampled = JSON.parse(text(await client.callTool({ name: 'sample' })));

    const count = async (name) => Number(text(await client.callTool({ name })));
    const [before, begun] = [await count('cancelled'), await count('begun')];
    const controller = new AbortController();
    const waiting = sdk.call(client, { name: 'wait', arguments: {} }, { signal: controller.signal }).catch((error) => error);
    while ((await count('begun')) === begun);
    controller.abort('enough');
    seen.aborted = (await waiting) instanceof Error;
    while ((await count('cancelled')) === before); // until the test ends this
    seen.cancelled = (await count('cancelled')) - before;
    await client.close();
  },

  // The answer as a stream breaks off after its first event: the SDK comes back by itself.
  async broken() {
    let cut = 0;
    const gets = [];
    const breaking = async (input, init) => {
      const headers = new Headers(init?.headers);
      if (init?.method === 'GET' && headers.has('last-event-id')) gets.push(headers.get('last-event-id'));
      const answer = await fetch(input, init);
      const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream');
      if (!isStream || !String(init?.body).includes('"tools/call"') || cut++) return answer;
      const reader = answer.body.getReader();
      const first = Buffer.from((await reader.read()).value);
      await reader.cancel();
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(first.subarray(0, first.indexOf('\n\n') + 2)); // no later one that came with it
          controller.close();
        },
      });
      return new Response(body, { status: answer.status, headers: answer.headers });
    };
    const { client } = await connect({ fetch: breaking });
    seen.text = text(await client.callTool({ name: 'slow', arguments: { seconds: 1.5 } }));
    seen.resumed = gets.length;
    seen.cut = cut;
    await client.close();
  },

  // A client ends in the middle of a call, and another one fetches the answer with the token that it left.
  async resumed() {
    const first = await connect();
    let resumptionToken;
    const told = new Promise((resolve) => {
      const onresumptiontoken = (value) => resolve((resumptionToken = value));
      const params = { name: 'slow', arguments: { seconds: 1.5 } };
      sdk.call(first.client, params, { onresumptiontoken }).catch(() => undefined);
    });
    await told;
    const sessionId = first.transport.sessionId;
    const protocolVersion = first.transport.protocolVersion;
    await first.transport.close();

    const second = sdk.make({ elicitation: {}, sampling: {} });
    const transport = new sdk.Transport(new URL(url), { requestInit: { headers: HEADERS }, sessionId, protocolVersion });
    await second.connect(transport);
    const params = { name: 'slow', arguments: { seconds: 1.5 } };
    seen.text = text(await sdk.call(second, params, { resumptionToken }));
    seen.count = Number(text(await sdk.call(second, { name: 'count', arguments: {} })));
    await second.close();
  },

  async refused() {
    try {
      await connect();
    } catch (error) {
      seen.error = `${error.name} ${error.code ?? ''} ${error.message} ${error.cause ?? ''}`;
      seen.status = error.status ?? error.code;
    }
  },
};

await stories[story]();
console.log(JSON.stringify(seen));
