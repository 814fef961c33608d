import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

const { CALLBACK_SECRETS = '', CALLBACK_PORT = '4020' } = process.env;
const [secret] = CALLBACK_SECRETS.split(',');
if (!secret) {
  console.error('Set CALLBACK_SECRETS: `tiktok-publisher callbacks secret` prints it.');
  process.exit(2);
}
const webhook = new Webhook(secret);

const server = createServer(async (request, response) => {
  try {
    // The signature is about the very bytes: parse nothing before it is verified. It throws if anything is wrong.
    const event = webhook.verify(await text(request), request.headers);
    // Events may come twice: `event.id` tells.
    console.log('verified', event.type, event.subject);
    response.writeHead(204).end();
  } catch (error) {
    console.log('refused', error.message);
    response.writeHead(400).end();
  }
});
server.listen(Number(CALLBACK_PORT), '127.0.0.1', () =>
  console.log(`receiving at http://127.0.0.1:${server.address().port}`),
);
