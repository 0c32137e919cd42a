// Kernels by @jupyterlab/services: one scenario for each thing that JupyterLab does with them.
'use strict';

const { assert, services, settings, startKernel, execute, until, run } = require('./lab.cjs');

async function withKernel(body) {
    const { manager, kernel } = await startKernel();
    try {
        await body(kernel, manager);
    } finally {
        await kernel.shutdown().catch(() => {});
        manager.dispose();
    }
}

run({
    execute: () => withKernel(async kernel => {
        const { reply, of, stdout, states } = await execute(kernel, 'import sys\nprint("one"); sys.stderr.write("two\\n"); 6 * 7');
        assert.equal(reply.content.status, 'ok');
        assert.equal(stdout, 'one\n');
        assert.ok(of('stream').some(s => s.name === 'stderr' && s.text === 'two\n'));
        assert.equal(of('execute_result')[0].data['text/plain'], '42');
        assert.equal(of('execute_result')[0].execution_count, reply.content.execution_count);
        assert.deepEqual(states, ['busy', 'idle']);

        const failed = await execute(kernel, '1 / 0');
        assert.equal(failed.reply.content.status, 'error');
        assert.equal(failed.of('error')[0].ename, 'ZeroDivisionError');

        const many = await execute(kernel, 'for i in range(3000): print(i)');
        assert.equal(many.stdout, Array.from({ length: 3000 }, (_, i) => `${i}\n`).join(''));
    }),

    // What is queued behind a failing cell is aborted by the kernel, and each future completes.
    queue: () => withKernel(async kernel => {
        const [first, second, third] = await Promise.all([
            execute(kernel, 'import time; time.sleep(.3); 1 / 0'), execute(kernel, 'print("never")'), execute(kernel, 'print("again")', { stop_on_error: false }),
        ]);
        assert.equal(first.reply.content.status, 'error');
        assert.equal(second.reply.content.status, 'aborted');
        assert.equal(third.reply.content.status, 'aborted');
        assert.equal((await execute(kernel, 'print("later")')).stdout, 'later\n');
    }),

    questions: () => withKernel(async kernel => {
        assert.equal((await kernel.requestKernelInfo()).content.language_info.name, 'python');
        await execute(kernel, 'alphabet = 1');
        assert.ok((await kernel.requestComplete({ code: 'alphab', cursor_pos: 6 })).content.matches.includes('alphabet'));
        assert.equal((await kernel.requestInspect({ code: 'len', cursor_pos: 3, detail_level: 0 })).content.found, true);
        assert.equal((await kernel.requestIsComplete({ code: 'for i in x:' })).content.status, 'incomplete');
        assert.ok((await kernel.requestHistory({ output: false, raw: true, hist_access_type: 'tail', n: 5 })).content.history.length > 0);
        assert.deepEqual((await kernel.requestCommInfo({})).content.comms, {});
    }),

    stdin: () => withKernel(async kernel => {
        const { reply, stdout } = await execute(kernel, 'print("hello " + input("name? "))', {
            onStdin: (message, future) => {
                assert.equal(message.content.prompt, 'name? ');
                future.sendInputReply({ status: 'ok', value: 'Ada' }, message.header);
            },
        });
        assert.equal(reply.content.status, 'ok');
        assert.equal(stdout, 'hello Ada\n');
    }),

    // Comms both ways, with binary buffers both ways.
    comm: () => withKernel(async kernel => {
        await execute(kernel, [
            'from ipykernel.comm import Comm',
            'def opened(comm, message):',
            '    comm.on_msg(lambda m: comm.send({"echo": m["content"]["data"]}, buffers=[bytes(reversed(m["buffers"][0]))]))',
            'get_ipython().kernel.comm_manager.register_target("ours", opened)'].join('\n'));
        const comm = kernel.createComm('ours');
        const echoed = new Promise(resolve => { comm.onMsg = resolve; });
        await comm.open({ hello: 1 }).done;
        await comm.send({ ping: 1 }, undefined, [new Uint8Array([1, 2, 255]).buffer]).done;
        const message = await echoed;
        assert.deepEqual(message.content.data, { echo: { ping: 1 } });
        const back = message.buffers[0];
        assert.deepEqual([...new Uint8Array(back.buffer ?? back, back.byteOffset ?? 0, back.byteLength)], [255, 2, 1]);
        assert.ok(comm.commId in (await kernel.requestCommInfo({ target_name: 'ours' })).content.comms);

        const opened = new Promise(resolve => kernel.registerCommTarget('theirs', (c, m) => resolve(m)));
        await execute(kernel, 'c = Comm(target_name="theirs", data={"from": "kernel"})');
        assert.deepEqual((await opened).content.data, { from: 'kernel' });
        await comm.close().done;
    }),

    display: () => withKernel(async kernel => {
        const shown = [];
        kernel.iopubMessage.connect((_, m) => shown.push(m));
        await execute(kernel, 'from IPython.display import display, clear_output\nh = display("one", display_id="d")');
        const { of } = await execute(kernel, 'h.update("two"); clear_output(wait=True)\nprint("x")');
        assert.equal(shown.find(m => m.header.msg_type === 'update_display_data').content.transient.display_id, 'd');
        assert.equal(of('clear_output')[0].wait, true);
    }),

    interrupt: () => withKernel(async kernel => {
        const sleeping = execute(kernel, 'import time\nprint("asleep", flush=True)\ntime.sleep(60)', {
            onMessage: m => m.header.msg_type === 'stream' && kernel.interrupt(),
        });
        assert.equal((await sleeping).reply.content.ename, 'KeyboardInterrupt');
        assert.equal((await execute(kernel, 'print("well")')).stdout, 'well\n');
    }),

    restart: () => withKernel(async kernel => {
        await execute(kernel, 'x = 1');
        const states = []; // 'autorestarting' would have JupyterLab and VS Code say that the kernel has died.
        kernel.statusChanged.connect((_, state) => states.push(state));
        await kernel.restart();
        await kernel.info;
        const { reply } = await execute(kernel, 'x');
        assert.equal(reply.content.ename, 'NameError');
        assert.equal(reply.content.execution_count, 1);
        assert.ok(!states.includes('autorestarting'), states.join());
        if (kernel.status !== 'idle') {
            await until(kernel.statusChanged, s => s === 'idle');
        }
    }),

    // A kernel that dies by itself: the client is told, and is connected to the one that follows.
    death: () => withKernel(async kernel => {
        const restarting = until(kernel.statusChanged, s => s === 'restarting' || s === 'autorestarting');
        kernel.requestExecute({ code: 'import os; os._exit(3)' }).done.catch(() => {});
        await restarting;
        await until(kernel.statusChanged, s => s === 'idle');
        assert.equal((await execute(kernel, 'print("anew")')).stdout, 'anew\n');
    }),

    // Two clients of one kernel: each sees the other's work on iopub, and only its own replies.
    together: () => withKernel(async (kernel, manager) => {
        const other = manager.connectTo({ model: kernel.model });
        await other.info;
        const seen = until(other.iopubMessage, m => m.header.msg_type === 'stream' && m.content.text === 'both\n');
        const { reply } = await execute(kernel, 'print("both")');
        assert.equal(reply.content.status, 'ok');
        await seen;
        assert.equal((await execute(other, 'print("mine")')).stdout, 'mine\n');
        other.dispose();
    }),

    // What the list says is what there is.
    list: async () => {
        const { manager, kernel } = await startKernel();
        await manager.refreshRunning();
        assert.ok([...manager.running()].some(m => m.id === kernel.id));
        const found = await manager.findById(kernel.id);
        assert.equal(found.name, 'python3');
        const gone = until(kernel.disposed, () => true);
        await manager.shutdown(kernel.id);
        await gone;
        await manager.refreshRunning();
        assert.ok(![...manager.running()].some(m => m.id === kernel.id));
        manager.dispose();
    },
});
