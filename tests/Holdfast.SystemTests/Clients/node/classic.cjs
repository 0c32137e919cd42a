// The classic Notebook in a browser: classic.cjs URL TOKEN NOTEBOOK FOLDER. Its cells are run as a person does it, with the keys; one of them asks a question.
// It says "kill" when the loop of the cell after the question is in its middle, and goes on when it is told.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const readline = require('node:readline');
const { open } = require('./browser.cjs');

const [url, token, notebook, folder] = process.argv.slice(2);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = fact => process.stdout.write(JSON.stringify(fact) + '\n');
const output = i => `document.querySelectorAll('.code_cell')[${i}].querySelector('.output_wrapper').innerText`;
const shift = 8;

async function main() {
    const { page, close } = await open(folder, `${url}/notebooks/${notebook}?token=${token}`);
    try {
        await page.until('window.Jupyter?.notebook?.kernel?.is_connected() && Jupyter.notebook.kernel.info_reply?.language_info');
        await page.evaluate('Jupyter.notebook.select(0); Jupyter.notebook.focus_cell(); true');
        for (let i = 0; i < 3; i++) {
            await page.press('Enter', 13, shift);
        }
        await page.until("document.querySelector('.raw_input')");
        await page.type('Ada');
        await page.press('Enter', 13);
        await page.until(`/hello Ada/.test(${output(2)})`);
        assert.match(await page.evaluate(output(0)), /one/);
        assert.match(await page.evaluate(output(1)), /42/);

        // The answer's box took the focus with it, and this Notebook then hears no key until somebody clicks.
        await page.evaluate('Jupyter.keyboard_manager.enable(); Jupyter.notebook.select(3); Jupyter.notebook.focus_cell(); true');
        await page.press('Enter', 13, shift);
        await page.until(`/^line 20$/m.test(${output(3)})`);
        say({ kill: 'in the loop' });
        await lines.next();
        await page.until(`/the end/.test(${output(3)})`).finally(() => page.picture(path.join(folder, 'classic.png')));
        const seen = (await page.evaluate(output(3))).split('\n').filter(l => l.startsWith('line '));
        say({ lines: seen });
        await page.press('Enter', 13, shift);
        await page.until(`/after/.test(${output(4)})`);
        await page.evaluate('Jupyter.notebook.save_notebook().then(() => true)');
        await page.picture(path.join(folder, 'classic.png'));
        say({ ok: true });
    } catch (error) {
        await page.picture(path.join(folder, 'classic.png')).catch(() => {});
        throw error;
    } finally {
        close();
    }
    process.exit(0);
}

main().catch(error => {
    say({ ok: false, error: String(error?.stack ?? error) });
    process.exit(1);
});
