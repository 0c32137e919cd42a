using System.Text;
using System.Text.Encodings.Web;

namespace Holdfast.Server.Jupyter.Lab;

/// <summary>
/// JupyterLab's page out of the template that lies in its `static` folder. That is one of Jinja's; what it asks for is little and the same
/// in every release of Lab 4: the configuration, the address of its scripts, the base address. Pure.
/// </summary>
internal static class LabPage
{
    private const string StaticAddress = "{{page_config.fullStaticUrl}}";
    private const string IconAddress = "{{ base_url | escape }}static/favicons/";

    // Jupyter Server brings the icons of the tab; Lab has none.
    private const string Icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='%23f37726'/%3E%3C/svg%3E#";

    /// <param name="configuration">JSON, with no sign in it that ends a script.</param>
    /// <param name="baseAddress">Ends with a slash.</param>
    public static string Render(string template, string configuration, string baseAddress, string staticAddress)
    {
        template = template.Replace(StaticAddress, HtmlEncoder.Default.Encode(staticAddress), StringComparison.Ordinal);
        template = template.Replace(IconAddress, Icon, StringComparison.Ordinal);
        var page = new StringBuilder(template.Length + configuration.Length);
        int at = 0;
        while (Next(template, at) is var start and >= 0)
        {
            page.Append(template, at, start - at);
            string tag = template[start..End(template, start)];
            at = start + tag.Length;
            if (tag.StartsWith("{{", StringComparison.Ordinal))
            {
                page.Append(
                    tag.Contains("tojson", StringComparison.Ordinal) ? configuration
                    : tag.Contains("base_url", StringComparison.Ordinal) ? HtmlEncoder.Default.Encode(baseAddress)
                    : ""
                );
            }
            else if (tag.StartsWith("{% if", StringComparison.Ordinal))
            {
                // The one condition is whether there is a style sheet of the user's own: there is none.
                int close = template.IndexOf("{% endif", at, StringComparison.Ordinal);
                at = close < 0 ? at : End(template, close);
            }
        }

        return page.Append(template, at, template.Length - at).ToString();
    }

    /// <summary>Where the next statement, comment or expression begins; -1: nowhere.</summary>
    private static int Next(string template, int at)
    {
        for (int i = template.IndexOf('{', at); i >= 0 && i + 1 < template.Length; i = template.IndexOf('{', i + 1))
        {
            if (template[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private static int End(string template, int start)
    {
        string closing = template[start + 1] == '{' ? "}}" : template[start + 1] + "}";
        int end = template.IndexOf(closing, start + 2, StringComparison.Ordinal);
        return end < 0 ? template.Length : end + 2;
    }
}
