// A client whose server is killed in the middle of a cell. It says when to kill, and hears when that is done; its futures must complete.
'use strict';

// A client that is refused looks again only after 10 to 30 s, three times here: its own wait, which says nothing of the server. Its long waits pass twenty times as fast then.
if (process.argv[4] === 'hastened') {
    const { setTimeout: setRealTimeout } = globalThis;
    globalThis.setTimeout = (callback, delay, ...rest) => setRealTimeout(callback, delay >= 10_000 ? delay / 20 : delay, ...rest);
}

const { assert, services, settings, say, hear, execute, until } = require('./lab.cjs');

async function main() {
    const manager = new services.ServiceManager({ serverSettings: settings, standby: 'never' });
    await manager.ready;
    const session = await manager.sessions.startNew({ path: 'survivor.ipynb', name: 'survivor.ipynb', type: 'notebook', kernel: { name: 'python3' } });
    const kernel = session.kernel;
    await kernel.info;
    let isOver = false;
    kernel.disposed.connect(() => isOver || say({ disposed: true }));
    session.disposed.connect(() => isOver || say({ disposed: true }));

    // 1. Killed in mid-loop, with a cell queued behind.
    let told = false;
    const running = execute(kernel, 'import time\nfor i in range(60):\n    print(i, flush=True)\n    time.sleep(.05)\n"over"', {
        onMessage: m => {
            if (!told && m.header.msg_type === 'stream' && /^1\d\n/m.test(m.content.text)) {
                told = true;
                say({ kill: 'in the loop' });
            }
        },
    });
    const queued = execute(kernel, 'print("next in line")');
    assert.equal(await hear(), 'restarted');
    const first = await running;
    assert.equal(first.stdout, Array.from({ length: 60 }, (_, i) => `${i}\n`).join(''));
    assert.equal(first.reply.content.status, 'ok');
    assert.equal(first.of('execute_result')[0].data['text/plain'], "'over'");
    assert.deepEqual(first.states, ['busy', 'idle']);
    assert.equal((await queued).stdout, 'next in line\n');

    // 2. Killed, and the cell ends while no server is there.
    const whole = execute(kernel, `open(${JSON.stringify(process.cwd() + '/begun')}, "w").close()\ntime.sleep(.5)\nprint("nobody saw me")\nopen(${JSON.stringify(process.cwd() + '/ended')}, "w").close()`);
    while (!require('fs').existsSync('begun')) { // Not by busy: that may be of what the library asks by itself.
        await new Promise(later => setTimeout(later, 20));
    }

    say({ kill: 'and wait' });
    assert.equal(await hear(), 'restarted');
    assert.equal((await whole).stdout, 'nobody saw me\n');

    // 3. A question that waits through a kill.
    const asked = execute(kernel, 'print("hello " + input("name? "))', {
        onStdin: async (message, future) => {
            if (!future.asked) {
                future.asked = true;
                say({ kill: 'with a question open' });
                assert.equal(await hear(), 'restarted');
                if (kernel.connectionStatus !== 'connected') {
                    await until(kernel.connectionStatusChanged, s => s === 'connected');
                }
                future.sendInputReply({ status: 'ok', value: 'Ada' }, message.header);
            }
        },
    });
    assert.equal((await asked).stdout, 'hello Ada\n');

    await manager.sessions.refreshRunning();
    assert.ok([...manager.sessions.running()].some(s => s.id === session.id));
    if (kernel.status !== 'idle') { // It may be at what the library asks by itself.
        await until(kernel.statusChanged, s => s === 'idle');
    }

    isOver = true;
    await session.shutdown();
    say({ scenario: 'reconnect', ok: true });
    process.exit(0);
}

main().catch(error => {
    say({ scenario: 'reconnect', ok: false, error: String(error?.stack ?? error) });
    process.exit(1);
});
