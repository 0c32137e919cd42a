using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>What JupyterLab's own page asks of the server that it comes from, and without which it shows nothing.</summary>
public sealed class JupyterLabTests
{
    [Fact]
    public async Task An_installed_JupyterLab_is_served_with_all_that_its_page_asks_for()
    {
        DirectoryInfo installed = Directory.CreateTempSubdirectory("holdfast-lab-");
        try
        {
            Write(
                "lab/static/index.html",
                "<script>{{ page_config_full | tojson }}</script><script src=\"{{page_config.fullStaticUrl}}/main.js\"></script>"
            );
            Write("lab/static/main.js", "start()");
            Write("lab/themes/@jupyterlab/theme-light-extension/index.css", "a{}");
            Write("lab/schemas/@jupyterlab/x-extension/keys.json", """{"title":"Keys","jupyter.lab.shortcuts":[]}""");
            Write("labextensions/@scope/ext/package.json", """{"jupyterlab":{"_build":{"load":"static/remote.js"}}}""");
            Write("labextensions/@scope/ext/static/remote.js", "remote()");
            Write("secret", "no");
            await using TestServer server = await TestServer.StartAsync(
                new TestServerOptions { Environment = new() { ["JUPYTER_PATH"] = installed.FullName } }
            );
            RestClient rest = server.Rest;

            RestReply page = (await rest.GetAsync("/lab/tree/a%20b.ipynb")).Must(200);
            Assert.Equal("text/html", page.ContentType);
            Assert.Contains("\"treePath\":\"a b.ipynb\"", page.Text, StringComparison.Ordinal);
            Assert.Contains("src=\"/lab/static/main.js\"", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(rest.Token, page.Text, StringComparison.Ordinal);
            foreach (string address in new[] { "/lab", "/lab/workspaces/w", "/doc/tree/x" })
            {
                Assert.Contains("federated_extensions", (await rest.GetAsync(address)).Must(200).Text, StringComparison.Ordinal);
            }

            RestReply script = (await rest.GetAsync("/lab/static/main.js?v=1")).Must(200);
            Assert.Equal(("start()", "text/javascript"), (script.Text, script.ContentType));
            Assert.Equal(
                "text/css",
                (await rest.GetAsync("/lab/themes/@jupyterlab/theme-light-extension/index.css")).Must(200).ContentType
            );
            Assert.Equal("remote()", (await rest.GetAsync("/lab/extensions/@scope/ext/static/remote.js")).Must(200).Text);
            foreach (
                string outside in new[] { "/lab/static/..%2F..%2Fsecret", "/lab/static/%2e%2e/%2e%2e/secret", "/lab/static/nothing.js" }
            )
            {
                (await rest.GetAsync(outside)).Must(404);
            }

            JsonElement setting = (await rest.GetAsync("/lab/api/settings/@jupyterlab/x-extension:keys")).Must(200).Json;
            Assert.Equal("Keys", setting.GetProperty("schema").GetProperty("title").GetString());
            JsonElement all = (await rest.GetAsync("/lab/api/settings")).Must(200).Json.GetProperty("settings");
            Assert.Equal("@jupyterlab/x-extension:keys", all.EnumerateArray().Single().GetProperty("id").GetString());
        }
        finally
        {
            installed.Delete(recursive: true);
        }

        void Write(string name, string text)
        {
            string file = Path.Combine(installed.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }

    /// <summary>A page that gets no answer about languages starts none of its plugins.</summary>
    [Fact]
    public async Task Lab_is_told_to_speak_English_and_strangers_are_led_to_the_login()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement languages = (await server.Rest.GetAsync("/lab/api/translations?1732")).Must(200).Json;
        Assert.Equal("English", languages.GetProperty("data").GetProperty("en").GetProperty("displayName").GetString());
        Assert.Equal("{}", (await server.Rest.GetAsync("/lab/api/translations/default")).Must(200).Json.GetProperty("data").GetRawText());
        Assert.NotEqual("", (await server.Rest.GetAsync("/lab/api/translations/fr_FR")).Must(200).Json.GetProperty("message").GetString());
        using var stranger = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseProxy = false });
        using HttpResponseMessage led = await stranger.GetAsync(
            server.Rest.Url + "/lab/tree/a.ipynb",
            TestContext.Current.CancellationToken
        );
        Assert.Equal((302, "/login?next=%2Flab%2Ftree%2Fa.ipynb"), ((int)led.StatusCode, led.Headers.Location!.ToString()));
        using HttpResponseMessage refused = await stranger.GetAsync(
            server.Rest.Url + "/lab/static/main.js",
            TestContext.Current.CancellationToken
        );
        Assert.Equal(403, (int)refused.StatusCode);
    }
}
