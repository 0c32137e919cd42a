// The same with kernels of different make: results, streams, errors, questions, interrupt, restart, as far as each has them.
'use strict';

const { assert, startKernel, execute, until, run } = require('./lab.cjs');

/** Executes what publishes one message of these types, which Deno's kernel now and then does after its idle: waits for both. */
async function published(kernel, code, types, options) {
    const coming = until(kernel.iopubMessage, message => types.includes(message.header.msg_type));
    const { reply } = await execute(kernel, code, options);
    return { reply, content: (await coming).content };
}

async function play(name, { result, print, fails, sleep, before, ask }) {
    const { manager, kernel } = await startKernel({ name });
    try {
        assert.match((await published(kernel, result, ['execute_result', 'display_data'])).content.data['text/plain'], /42/);
        assert.equal((await published(kernel, print, ['stream'])).content.text, 'said\n');
        assert.equal((await published(kernel, fails, ['error'])).reply.content.status, 'error');
        if (ask) {
            const { content } = await published(kernel, ask, ['stream'], {
                onStdin: (message, future) => future.sendInputReply({ status: 'ok', value: 'Ada' }, message.header),
            });
            assert.match(content.text, /hello Ada/);
        }
        if (sleep) {
            const sleeping = execute(kernel, sleep, { onMessage: m => m.header.msg_type === 'stream' && kernel.interrupt() });
            assert.notEqual((await sleeping).reply.content.status, 'ok');
        }
        await kernel.restart();
        await kernel.info;
        assert.equal((await published(kernel, print, ['stream'])).content.text, 'said\n');
    } finally {
        await kernel.shutdown().catch(() => {});
        manager.dispose();
    }
}

run({
    python3: () => play('python3', {
        result: '6 * 7', print: 'print("said")', fails: 'nosuchthing', sleep: 'import time\nprint("x", flush=True)\ntime.sleep(60)', ask: 'print("hello " + input("?"))',
    }),
    ir: () => play('ir', {
        result: '6 * 7', print: 'cat("said\\n")', fails: 'nosuchthing', sleep: 'cat("x\\n"); flush.console(); Sys.sleep(60)', ask: 'cat("hello", readline("?"), "\\n")',
    }),
    deno: () => play('deno', {
        result: '6 * 7', print: 'console.log("said")', fails: 'nosuchthing', ask: 'console.log("hello " + prompt("?"))',
    }),
});
