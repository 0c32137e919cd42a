// What else a JupyterLab page asks of its server, in the order in which it does: specs, sessions, contents, terminals, settings, workspaces.
'use strict';

const { assert, services, settings, execute, until, run } = require('./lab.cjs');

async function rejects(promise, status) {
    const error = await promise.then(() => null, e => e);
    assert.equal(error?.response?.status, status, String(error));
}

run({
    // The manager that JupyterLab makes at its start: all that it needs to be ready.
    start: async () => {
        // The colours that a page gives its users are kept in the browser.
        globalThis.window = { localStorage: { getItem: () => null, setItem: () => {} } };
        const manager = new services.ServiceManager({ serverSettings: settings, standby: 'never' });
        await manager.ready;
        assert.ok('python3' in manager.kernelspecs.specs.kernelspecs);
        assert.equal(manager.kernelspecs.specs.default, 'python3');
        await manager.user.ready;
        assert.ok(manager.user.identity.username.length > 0);
        assert.ok(await services.KernelSpecAPI.getSpecs(settings));
        manager.dispose();
    },

    sessions: async () => {
        const manager = new services.ServiceManager({ serverSettings: settings, standby: 'never' });
        await manager.ready;
        const { sessions, kernels } = manager;
        const session = await sessions.startNew({ path: 'lab-session.ipynb', name: 'lab-session.ipynb', type: 'notebook', kernel: { name: 'python3' } });
        await session.kernel.info;
        assert.equal((await execute(session.kernel, 'print(1)')).stdout, '1\n');

        const again = await services.SessionAPI.startSession({ path: 'lab-session.ipynb', name: 'lab-session.ipynb', type: 'notebook', kernel: { name: 'python3' } }, settings);
        assert.equal(again.id, session.id);

        await session.setPath('lab-moved.ipynb');
        assert.equal((await services.SessionAPI.getSessionModel(session.id, settings)).path, 'lab-moved.ipynb');

        const old = session.kernel.id;
        await session.changeKernel({ name: 'python3' });
        assert.notEqual(session.kernel.id, old);
        await session.kernel.info;
        assert.equal((await execute(session.kernel, 'print(2)')).stdout, '2\n');
        await kernels.refreshRunning();
        assert.ok(![...kernels.running()].some(k => k.id === old));

        const last = session.kernel.id;
        await session.shutdown();
        await kernels.refreshRunning();
        assert.ok(![...kernels.running()].some(k => k.id === last));
        await rejects(services.SessionAPI.getSessionModel(session.id, settings), 404);
        manager.dispose();
    },

    contents: async () => {
        const drive = new services.Drive({ serverSettings: settings });
        const contents = new services.ContentsManager({ defaultDrive: drive, serverSettings: settings });
        const folder = await contents.newUntitled({ path: '', type: 'directory' });
        const notebook = await contents.newUntitled({ path: folder.path, type: 'notebook' });
        const file = await contents.newUntitled({ path: folder.path, type: 'file', ext: '.txt' });
        assert.match(notebook.path, /\/Untitled.*\.ipynb$/);

        const document = {
            cells: [{ cell_type: 'code', id: 'a1', source: '1 + 1', metadata: {}, outputs: [], execution_count: null }],
            metadata: { kernelspec: { name: 'python3', display_name: 'Python 3' } }, nbformat: 4, nbformat_minor: 5,
        };
        await contents.save(notebook.path, { type: 'notebook', format: 'json', content: document });
        const read = await contents.get(notebook.path);
        assert.equal(read.type, 'notebook');
        assert.equal(read.content.cells[0].source, '1 + 1');
        assert.ok(!Number.isNaN(Date.parse(read.last_modified)));

        await contents.save(file.path, { type: 'file', format: 'text', content: 'naïve\n' });
        assert.equal((await contents.get(file.path)).content, 'naïve\n');
        assert.equal((await contents.get(file.path, { content: false })).content, null);
        await contents.save(folder.path + '/bytes.bin', { type: 'file', format: 'base64', content: Buffer.from([0, 255, 7]).toString('base64') });
        const bytes = await contents.get(folder.path + '/bytes.bin', { type: 'file', format: 'base64', content: true });
        assert.deepEqual([...Buffer.from(bytes.content, 'base64')], [0, 255, 7]);

        const checkpoint = await contents.createCheckpoint(file.path);
        await contents.save(file.path, { type: 'file', format: 'text', content: 'changed' });
        assert.equal((await contents.listCheckpoints(file.path)).length, 1);
        await contents.restoreCheckpoint(file.path, checkpoint.id);
        assert.equal((await contents.get(file.path)).content, 'naïve\n');
        await contents.deleteCheckpoint(file.path, checkpoint.id);

        const renamed = await contents.rename(file.path, folder.path + '/renamed file.txt');
        assert.equal(renamed.name, 'renamed file.txt');
        const copy = await contents.copy(renamed.path, folder.path);
        assert.notEqual(copy.path, renamed.path);
        const listing = await contents.get(folder.path);
        assert.deepEqual(listing.content.map(c => c.name).sort(), ['bytes.bin', notebook.name, 'renamed file.txt', copy.name].sort());

        const url = await contents.getDownloadUrl(renamed.path);
        const download = await services.ServerConnection.makeRequest(url, {}, settings);
        assert.equal(await download.text(), 'naïve\n');

        // JupyterLab sends large files in chunks: 1, 2, ... and -1 for the last.
        const parts = ['a'.repeat(1000), 'b'.repeat(1000), 'c'];
        for (const [i, part] of parts.entries()) {
            await contents.save(folder.path + '/large.txt', { type: 'file', format: 'text', content: part, chunk: i === parts.length - 1 ? -1 : i + 1 });
        }
        assert.equal((await contents.get(folder.path + '/large.txt')).content, parts.join(''));

        await rejects(contents.get(folder.path + '/none'), 404);
        for (const name of ['bytes.bin', notebook.name, 'renamed file.txt', copy.name, 'large.txt']) {
            await contents.delete(folder.path + '/' + name);
        }
        await contents.delete(folder.path);
        await rejects(contents.get(folder.path), 404);
    },

    settings: async () => {
        const manager = new services.SettingManager({ serverSettings: settings });
        const id = '@jupyterlab/apputils-extension:themes';
        await manager.save(id, '{\n    // by hand\n    "theme": "JupyterLab Dark"\n}');
        assert.match((await manager.fetch(id)).raw, /JupyterLab Dark/);
        assert.ok(Array.isArray((await manager.list()).values));
    },

    workspaces: async () => {
        const manager = new services.WorkspaceManager({ serverSettings: settings });
        await manager.save('ours', { data: { 'layout-restorer:data': { main: 1 } }, metadata: { id: 'ours' } });
        assert.deepEqual((await manager.fetch('ours')).data, { 'layout-restorer:data': { main: 1 } });
        assert.ok((await manager.list()).ids.includes('ours'));
        await manager.remove('ours');
        assert.ok(!(await manager.list()).ids.includes('ours'));
    },

    terminals: async () => {
        const manager = new services.TerminalManager({ serverSettings: settings });
        const terminal = await manager.startNew();
        let text = '';
        const seen = until(terminal.messageReceived, m => {
            text += m.type === 'stdout' ? m.content[0] : '';
            return text.includes('sum 42');
        });
        if (terminal.connectionStatus !== 'connected') {
            await until(terminal.connectionStatusChanged, s => s === 'connected');
        }
        terminal.send({ type: 'set_size', content: [30, 100, 600, 800] });
        terminal.send({ type: 'stdin', content: ['echo sum $((40+2)) $(tput cols 2>/dev/null)\r'] });
        await seen;
        await manager.refreshRunning();
        assert.ok([...manager.running()].some(m => m.name === terminal.name));
        await terminal.shutdown();
        await manager.refreshRunning();
        assert.ok(![...manager.running()].some(m => m.name === terminal.name));
        manager.dispose();
    },

    // The page follows the server's events, and tells its own.
    events: async () => {
        const manager = new services.EventManager({ serverSettings: settings });
        manager.dispose();
        const config = await services.ConfigSection.create({ name: 'holdfast-test', serverSettings: settings });
        await config.update({ here: { is: 1 } });
        const read = await services.ConfigSection.create({ name: 'holdfast-test', serverSettings: settings });
        assert.deepEqual(read.data.here, { is: 1 });
        await config.update({ here: null });
    },

    nbconvert: async () => {
        const manager = new services.NbConvertManager({ serverSettings: settings });
        const formats = await manager.getExportFormats();
        assert.equal(typeof formats, 'object');
    },
});
