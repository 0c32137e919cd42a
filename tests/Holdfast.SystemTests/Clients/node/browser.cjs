// Chromium without a window, told what to do over its debugging protocol: enough of it to open a page, type, look, and take a picture.
'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const WebSocket = require('ws');

const patienceMs = 45_000;

class Page {
    constructor(socket, session) {
        this.socket = socket;
        this.session = session;
    }

    send(method, params = {}) {
        return this.socket.ask(method, params, this.session);
    }

    /** The value of an expression in the page; a promise is waited for. */
    async evaluate(expression) {
        const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) {
            throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        }
        return result.value;
    }

    /** Looks until an expression is true; the page announces nothing. */
    async until(expression) {
        const end = performance.now() + patienceMs;
        for (;;) {
            const value = await this.evaluate(expression).catch(() => undefined);
            if (value) {
                return value;
            }
            if (performance.now() > end) {
                throw new Error(`in vain waited for: ${expression}`);
            }
            await new Promise(resolve => setTimeout(resolve, 50));
        }
    }

    async type(text) {
        await this.send('Input.insertText', { text });
    }

    async press(key, code, modifiers = 0) {
        const event = { key, code: key, windowsVirtualKeyCode: code, modifiers, text: key === 'Enter' ? '\r' : undefined };
        await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event });
        await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    }

    async picture(file) {
        const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
        fs.writeFileSync(file, Buffer.from(data, 'base64'));
    }
}

class Connection {
    constructor(socket) {
        this.socket = socket;
        this.next = 0;
        this.asked = new Map();
        socket.on('message', text => {
            const { id, result, error } = JSON.parse(text);
            const waiting = this.asked.get(id);
            this.asked.delete(id);
            if (waiting) {
                error ? waiting.reject(new Error(error.message)) : waiting.resolve(result);
            }
        });
    }

    ask(method, params, sessionId) {
        const id = ++this.next;
        return new Promise((resolve, reject) => {
            this.asked.set(id, { resolve, reject });
            this.socket.send(JSON.stringify({ id, method, params, sessionId }));
        });
    }
}

/** Starts it with a profile of its own in a folder, and opens a page. */
async function open(folder, url) {
    const profile = path.join(folder, 'chromium');
    const browser = spawn('chromium', [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-port=0', `--user-data-dir=${profile}`,
        '--window-size=1200,1000', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server', 'about:blank',
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await new Promise((resolve, reject) => {
        let said = '';
        browser.stderr.on('data', text => {
            said += text;
            const match = /DevTools listening on (ws:\S+)/.exec(said);
            if (match) {
                resolve(match[1]);
            }
        });
        browser.on('exit', code => reject(new Error(`chromium ended with ${code}: ${said}`)));
    });
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    const connection = new Connection(socket);
    const { targetId } = await connection.ask('Target.createTarget', { url });
    const { sessionId } = await connection.ask('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(connection, sessionId);
    await page.send('Page.enable');
    return { page, close: () => browser.kill('SIGKILL') };
}

module.exports = { open };
