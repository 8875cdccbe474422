// A gateway of one's own: the built program on a free port, in a folder that goes away.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = process.env.SWITCHBOARD_BIN ?? join(ROOT, 'target/debug/switchboard');
const READY_MS = 20_000;

export class Gateway {
  /** @param {string} [config] the configuration; none starts as a newcomer does */
  static async start(config) {
    const gateway = new Gateway();
    gateway.folder = await mkdtemp(join(tmpdir(), 'switchboard-'));
    gateway.port = await freePort();
    gateway.url = `http://127.0.0.1:${gateway.port}/`;
    if (config) await writeFile(join(gateway.folder, 'switchboard.toml'), config);
    gateway.config = Boolean(config);
    await gateway.run();
    return gateway;
  }

  async run() {
    const listen = `127.0.0.1:${this.port}`;
    this.process = spawn(PROGRAM, this.config ? ['serve', '--config', 'switchboard.toml'] : [], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH,
        SWITCHBOARD__SERVER__LISTEN: listen,
        SWITCHBOARD__SERVER__PUBLIC_URL: `http://${listen}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    this.process.stderr.on('data', (text) => (said += text));
    const ready = (async () => {
      for await (const line of createInterface({ input: this.process.stdout })) {
        this.setUpLink = /http\S+#setup=\S+/.exec(line)?.[0] ?? this.setUpLink;
        if (line.startsWith('Ready')) return;
      }
      throw new Error(`the gateway did not start:\n${said}`);
    })();
    await within(ready, READY_MS, 'the gateway does not become ready');
    this.process.stdout.resume();
  }

  /** Takes another configuration while it runs. @param {string} config */
  async reload(config) {
    await writeFile(join(this.folder, 'switchboard.toml'), config);
    this.process.kill('SIGHUP');
  }

  /** As a power cut would: no goodbye. */
  async kill() {
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }

  async stop() {
    if (this.process?.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await within(gone, 10_000, 'the gateway does not stop').catch(() => this.process.kill('SIGKILL'));
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @param {string} path */
  async read(path) {
    return readFile(join(this.folder, path));
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * @template T
 * @param {Promise<T>} work
 * @param {number} ms
 * @param {string} otherwise
 * @returns {Promise<T>}
 */
function within(work, ms, otherwise) {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(otherwise)), ms);
    work.then(done, fail).finally(() => clearTimeout(timer));
  });
}
