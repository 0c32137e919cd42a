// The same with kernels of different make: results, streams, errors, questions, interrupt, restart, as far as each has them.
'use strict';

const { assert, startKernel, execute, run } = require('./lab.cjs');

async function play(name, { result, print, fails, sleep, before, ask }) {
    const { manager, kernel } = await startKernel({ name });
    try {
        const first = await execute(kernel, result);
        const shown = first.of('execute_result')[0] ?? first.of('display_data')[0];
        assert.match(shown.data['text/plain'], /42/);
        assert.equal((await execute(kernel, print)).stdout, 'said\n');
        const failed = await execute(kernel, fails);
        assert.equal(failed.reply.content.status, 'error');
        assert.equal(failed.of('error').length, 1);
        if (ask) {
            const { stdout } = await execute(kernel, ask, {
                onStdin: (message, future) => future.sendInputReply({ status: 'ok', value: 'Ada' }, message.header),
            });
            assert.match(stdout, /hello Ada/);
        }
        if (sleep) {
            const sleeping = execute(kernel, sleep, { onMessage: m => m.header.msg_type === 'stream' && kernel.interrupt() });
            assert.notEqual((await sleeping).reply.content.status, 'ok');
        }
        await kernel.restart();
        await kernel.info;
        assert.equal((await execute(kernel, print)).stdout, 'said\n');
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
