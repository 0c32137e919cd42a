// What the scenarios share: JupyterLab's own client library, pointed at a server, and how they tell what they saw.
'use strict';

const assert = require('node:assert/strict');
const readline = require('node:readline');
const { PageConfig } = require('@jupyterlab/coreutils');
const services = require('@jupyterlab/services');

const ws = require('ws');

PageConfig.setOption('appUrl', '/lab');
PageConfig.setOption('terminalsAvailable', 'true');

/** As in a browser, a connection that fails is an event for who listens, and no exception. */
class QuietSocket extends ws {
    constructor(...rest) {
        super(...rest);
        this.on('error', () => {});
    }
}

/** Settings for a server, by its address and token. */
function settingsOf(baseUrl, token) {
    return services.ServerConnection.makeSettings({
        baseUrl, wsUrl: baseUrl.replace(/^http/, 'ws'), appUrl: '/lab', token, appendToken: true, WebSocket: QuietSocket,
    });
}

/** Settings from the command line: SCENARIO.cjs URL TOKEN. */
const settings = settingsOf(process.argv[2], process.argv[3]);

/** One fact for the test that drives this: a line of JSON. */
function say(fact) {
    process.stdout.write(JSON.stringify(fact) + '\n');
}

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The next line of the test's; it answers what was said. */
async function hear() {
    return (await lines.next()).value;
}

/** A running kernel and its connection. The kernel info has come: it is ready for requests. */
async function startKernel(options = { name: 'python3' }) {
    const manager = new services.KernelManager({ serverSettings: settings });
    const kernel = await manager.startNew(options);
    await kernel.info;
    return { manager, kernel };
}

/** Executes, and gathers all that came for it. */
async function execute(kernel, code, { onMessage, onStdin, ...more } = {}) {
    const messages = [];
    const future = kernel.requestExecute({ code, allow_stdin: onStdin !== undefined, stop_on_error: true, ...more });
    future.onIOPub = message => {
        messages.push(message);
        onMessage?.(message);
    };
    future.onStdin = message => onStdin?.(message, future);
    const reply = await future.done;
    const of = type => messages.filter(m => m.header.msg_type === type).map(m => m.content);
    return {
        reply, messages, of,
        stdout: of('stream').filter(s => s.name === 'stdout').map(s => s.text).join(''),
        states: of('status').map(s => s.execution_state),
    };
}

/** Waits for a signal of Lumino's to carry what is looked for. */
function until(signal, predicate) {
    return new Promise(resolve => {
        const slot = (sender, argument) => {
            if (predicate(argument, sender)) {
                signal.disconnect(slot);
                resolve(argument);
            }
        };
        signal.connect(slot);
    });
}

/** Runs scenarios by name, all of a file unless some are named; says how each went, and exits with 1 when one failed. */
async function run(scenarios) {
    const wanted = process.argv.slice(4);
    let failed = 0;
    for (const [name, scenario] of Object.entries(scenarios)) {
        if (wanted.length > 0 && !wanted.includes(name)) {
            continue;
        }
        const start = performance.now();
        let clock;
        try {
            const patience = new Promise((_, reject) => { clock = setTimeout(() => reject(new Error('took longer than 45 s')), 45_000); });
            await Promise.race([scenario(), patience]);
            say({ scenario: name, ok: true, ms: Math.round(performance.now() - start) });
        } catch (error) {
            failed++;
            say({ scenario: name, ok: false, error: String(error?.stack ?? error) });
        }
        clearTimeout(clock);
    }
    process.exit(failed === 0 ? 0 : 1);
}

module.exports = { assert, services, settings, say, hear, startKernel, execute, until, run };
