using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>Every code a caller can meet has a page that says what to do, and no page outlives its code.</summary>
public sealed class ErrorCodeTests
{
    private static readonly Regex Code = new(@"\bconst\s+string\s+\w+\s*=\s*""(?<code>[a-z0-9]+(-[a-z0-9]+)*)""");

    private static readonly (string File, string Code)[] Declared =
    [
        .. from file in Repository.Product
        where Regex.IsMatch(file.Path, @"ErrorCodes?\.cs$")
        from Match match in Code.Matches(file.Text)
        select (file.Path, match.Groups["code"].Value),
    ];

    private static readonly string[] Codes = [.. Declared.Select(d => d.Code).Distinct()];

    private static readonly string[] Pages =
    [
        .. Repository
            .Files("docs/errors", "*.md", SearchOption.TopDirectoryOnly)
            .Select(p => Path.GetFileNameWithoutExtension(p))
            .Where(n => n != "README"),
    ];

    [Fact]
    public void No_list_gives_a_code_two_meanings() =>
        Repository.ExpectNone(
            Declared.GroupBy(d => d).Where(g => g.Count() > 1).Select(g => $"{g.Key.File}: {g.Key.Code}"),
            "A code stands for two things:"
        );

    [Fact]
    public void Every_code_has_a_page() =>
        Repository.ExpectNone(Codes.Except(Pages).Select(c => $"docs/errors/{c}.md"), "Pages that are missing:");

    [Fact]
    public void Every_page_has_a_code() =>
        Repository.ExpectNone(Pages.Except(Codes).Select(c => $"docs/errors/{c}.md"), "Pages of codes that nothing gives:");

    [Fact]
    public void The_list_has_every_page_with_its_first_sentences() =>
        Assert.Equal(
            from page in Pages.Order(StringComparer.Ordinal)
            select $"| [{page}]({page}.md) | {Repository.Read($"docs/errors/{page}.md").Split('\n')[2]} |",
            Repository.Read("docs/errors/README.md").Split('\n').Where(static line => line.StartsWith("| [", StringComparison.Ordinal))
        );

    [Fact]
    public void Every_page_names_its_code_and_says_the_cause_and_what_to_do() =>
        Repository.ExpectNone(
            from page in Pages
            let text = Repository.Read($"docs/errors/{page}.md")
            where
                !text.StartsWith($"# {page}\n", StringComparison.Ordinal)
                || !text.Contains("\n## Cause\n", StringComparison.Ordinal)
                || !text.Contains("\n## What to do\n", StringComparison.Ordinal)
            select $"docs/errors/{page}.md",
            "A page begins with `# code` and has the sections `## Cause` and `## What to do`:"
        );
}
