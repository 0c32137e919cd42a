namespace Holdfast.Tests.Tidy;

public sealed class SourceTextTests
{
    [Theory]
    [InlineData("a // b\nc", "a     \nc")]
    [InlineData("a /* b\nd */ c", "a     \n     c")]
    [InlineData("x = \"// no\"; y", "x = \"      ; y")]
    [InlineData("x = @\"a\\\"; y", "x = \"    ; y")]
    [InlineData("x = \"a\\\"b\"; y", "x = \"     ; y")]
    [InlineData("x = $\"\"\"a \"b\" c\"\"\"; y", "x = \"             ; y")]
    [InlineData("c = '\"'; y", "c = \"  ; y")]
    [InlineData("int @class = 1;", "int @class = 1;")]
    public void Strings_and_comments_are_blanked_and_the_rest_stays(string text, string code) =>
        Assert.Equal(code, SourceText.Split(text).Code);

    [Fact]
    public void Comments_are_kept_apart() => Assert.Equal("// b\n/* d */\n", SourceText.Split("a // b\n\"// no\" /* d */").Comments);

    [Theory]
    [InlineData("public sealed class A : B { }", "A")]
    [InlineData("internal readonly record struct A(int B);", "A")]
    [InlineData("public record A<T>(T B);", "A")]
    [InlineData("enum A : byte { }", "A")]
    [InlineData("public delegate ValueTask<int> A(int b);", "A")]
    [InlineData("class A\n{\n}", "A")]
    [InlineData("void F<T>() where T : class { }", null)]
    public void Declared_types_are_found(string text, string? name) =>
        Assert.Equal(name is null ? [] : [name], new SourceFile("src/X/Y.cs", text).DeclaredTypes);
}
