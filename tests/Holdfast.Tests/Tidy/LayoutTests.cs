namespace Holdfast.Tests.Tidy;

/// <summary>What the layout tool leaves to people.</summary>
public sealed class LayoutTests
{
    /// <summary>max_line_length of .editorconfig, which the tool keeps for code.</summary>
    private const int Width = 140;

    [Fact]
    public void Comments_are_as_narrow_as_code() =>
        Repository.ExpectNone(
            from file in Repository.Sources
            from line in file.Text.Split('\n').Select(static (text, i) => (Text: text, Number: i + 1))
            where line.Text.Length > Width && line.Text.TrimStart().StartsWith("//", StringComparison.Ordinal)
            select $"{file.Path}:{line.Number}",
            $"A comment is longer than {Width} characters:"
        );
}
