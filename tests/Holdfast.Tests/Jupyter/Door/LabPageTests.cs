using System.Text.Json.Nodes;
using Holdfast.Engine.Preferences;
using Holdfast.Server.Jupyter.Lab;

namespace Holdfast.Tests.Jupyter.Door;

/// <summary>JupyterLab's template becomes a page, and the page is told where it is and what it was asked to open.</summary>
public sealed class LabPageTests
{
    private const string Template = """
        <title>JupyterLab</title>
        {# Copy so we do not modify it. #}
        {% set page_config_full = page_config.copy() %}
        <script id="jupyter-config-data" type="application/json">
          {{ page_config_full | tojson }}
        </script>
        {% block favicon %}
        <link href="{{ base_url | escape }}static/favicons/favicon.ico" class="idle favicon">
        {% endblock %}
        {% if custom_css %}
        <link href="{{ base_url | escape }}custom/custom.css">
        {% endif %}
        <script defer src="{{page_config.fullStaticUrl}}/main.0a.js?v=0a"></script>
        <script>(function () { if (1) { return; } })();</script>
        """;

    [Fact]
    public void Nothing_of_the_template_is_left_and_nothing_of_the_page_is_lost()
    {
        string page = LabPage.Render(Template, """{"baseUrl":"/"}""", "/", "/lab/static");
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{%", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{#", page, StringComparison.Ordinal);
        Assert.DoesNotContain("custom.css", page, StringComparison.Ordinal);
        Assert.Contains("""{"baseUrl":"/"}""", page, StringComparison.Ordinal);
        Assert.Contains("""<script defer src="/lab/static/main.0a.js?v=0a"></script>""", page, StringComparison.Ordinal);
        Assert.Contains("""class="idle favicon">""", page, StringComparison.Ordinal);
        Assert.EndsWith("(function () { if (1) { return; } })();</script>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ page")]
    [InlineData("{% if a %}<p>")]
    [InlineData("{")]
    [InlineData("")]
    public void A_template_that_is_cut_off_is_no_harm(string template) => _ = LabPage.Render(template, "{}", "/", "/s");

    [Theory]
    [InlineData("", "default", "")]
    [InlineData("tree/", "default", "")]
    [InlineData("tree/a/b.ipynb", "default", "a/b.ipynb")]
    [InlineData("workspaces/mine", "mine", "")]
    [InlineData("workspaces/mine/tree/a b.ipynb", "mine", "a b.ipynb")]
    public void The_address_says_what_is_opened(string opened, string workspace, string tree)
    {
        JsonObject page = LabConfiguration.Of("/nonexistent", [], "/t/TOKEN", opened, isDocumentOnly: false);
        Assert.Equal((workspace, tree), ((string)page["workspace"]!, (string)page["treePath"]!));
        Assert.Equal("/t/TOKEN/", (string)page["baseUrl"]!);
        Assert.Equal("/t/TOKEN/lab/static", (string)page["fullStaticUrl"]!);
        Assert.DoesNotContain(
            "</script",
            LabConfiguration.Of("/x", [], "", "tree/</script>", false).ToJsonString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Extensions_and_what_is_switched_off_come_from_where_pip_puts_them()
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("holdfast-lab-");
        try
        {
            Write("lab/static/package.json", """{"jupyterlab":{"version":"4.6.4"}}""");
            Write("lab/settings/page_config.json", """{"disabledExtensions":{"one":true,"two":false},"quiet":"yes"}""");
            Write(
                "labextensions/@scope/ext/package.json",
                """{"jupyterlab":{"_build":{"load":"static/remote.js","extension":"./extension"}}}"""
            );
            Write("labextensions/@scope/ext/schemas/@scope/ext/plugin.json", """{"title":"Ours"}""");
            Write("labextensions/source/package.json", """{"name":"not built"}""");
            Write("lab/schemas/@jupyterlab/x-extension/keys.json", """{"title":"Keys"}""");
            Write("lab/schemas/@jupyterlab/x-extension/package.json.orig", """{"version":"4.6.4"}""");
            Write("lab/schemas/@jupyterlab/x-extension/broken.json", "{");
            var folders = new LabFolders(name => name == "JUPYTER_PATH" ? data.FullName : null);

            JsonObject page = LabConfiguration.Of(folders.Main!, folders.Extensions(), "", "", isDocumentOnly: true);
            Assert.Equal(("4.6.4", "yes", "single-document"), ((string)page["appVersion"]!, (string)page["quiet"]!, (string)page["mode"]!));
            string[] disabled = [.. page["disabledExtensions"]!.AsArray().Select(static n => (string)n!)];
            Assert.Contains("one", disabled);
            Assert.DoesNotContain("two", disabled);
            JsonNode extension = page["federated_extensions"]!.AsArray().Single()!;
            Assert.Equal(("@scope/ext", "static/remote.js"), ((string)extension["name"]!, (string)extension["load"]!));

            var schemas = new LabSchemas(folders);
            Assert.Equal(["@jupyterlab/x-extension:keys", "@scope/ext:plugin"], schemas.List().Keys);
            Assert.Equal("4.6.4", schemas.Find("@jupyterlab/x-extension:keys")!.Version);
            Assert.Null(schemas.Find("@jupyterlab/x-extension:broken"));
            Assert.Null(schemas.Find("../schemas/@jupyterlab/x-extension:keys"));
            Assert.Null(schemas.Find("@jupyterlab/x-extension:../../static/package"));
        }
        finally
        {
            data.Delete(recursive: true);
        }

        void Write(string name, string text)
        {
            string file = Path.Combine(data.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
    }
}
