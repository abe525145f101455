#!/usr/bin/env node
// Takes teleport-webhooks events: verifies the signature, drops repeats, prints who asked for what.
//   node receiver.js 127.0.0.1 8080 SECRET_FILE      # the secret: teleport-webhooks configure --new-secret
// Put it behind HTTPS before it leaves this machine.
const crypto = require('crypto'), fs = require('fs'), http = require('http');
const [host, port, secretFile] = process.argv.slice(2);
const key = Buffer.from(fs.readFileSync(secretFile, 'utf8').trim().replace(/^whsec_/, ''), 'base64');
if (key.length < 24) throw new Error(`${secretFile} holds no secret: teleport-webhooks configure --new-secret`);
const seen = new Map();   // the ids of the last 10,000 events; keep them in your database instead

function signed(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sent, 'webhook-signature': given } = headers;
  if (!id || !given || !/^\d{1,12}$/.test(sent || '') || Math.abs(Date.now() / 1000 - sent) > 300) return false;
  const mac = crypto.createHmac('sha256', key).update(`${id}.${sent}.`).update(body).digest('base64');
  const right = Buffer.from(`v1,${mac}`);
  return given.split(' ').map((one) => Buffer.from(one))
    .some((one) => one.length === right.length && crypto.timingSafeEqual(one, right));
}

function handleEvent(event) {
  const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;   // a requester must not steer the terminal
  console.log(event.type, JSON.stringify(event.data).replace(/[^ -~]/g, escaped));
}

http.createServer((request, response) => {
  const parts = [];
  let size = 0;
  request.on('data', (part) => { (size += part.length) > 1 << 20 ? request.destroy() : parts.push(part); });
  request.on('end', () => {
    const body = Buffer.concat(parts), id = request.headers['webhook-id'];
    if (request.method !== 'POST' || !signed(request.headers, body)) return response.writeHead(401).end();
    try {
      if (!seen.has(id)) handleEvent(JSON.parse(body));
      seen.set(id, true);
      if (seen.size > 10000) seen.delete(seen.keys().next().value);
      response.writeHead(204).end();
    } catch (error) { console.error(error); response.writeHead(500).end(); }   // the event comes again
  });
}).listen(Number(port), host);
