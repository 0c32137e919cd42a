using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>Which analyser a notebook gets. None of the kernelspecs named here is installed anywhere.</summary>
public sealed class CellAnalysersTests
{
    [Theory]
    [InlineData("a kernelspec of nobody", "R", false)]
    [InlineData(null, "julia", false)]
    [InlineData("a kernelspec of nobody", "python", true)]
    [InlineData("a kernelspec of nobody", "ipython3", true)]
    [InlineData("a kernelspec of nobody", null, true)]
    [InlineData(null, null, true)]
    public void A_kernelspec_that_is_not_installed_speaks_the_language_that_the_notebook_says(
        string? kernel,
        string? language,
        bool isPython
    )
    {
        using var analysers = new CellAnalysers(static () => { }, TimeProvider.System);
        Assert.Equal(isPython, analysers.ForKernel(kernel, language) is not UnknownLanguage);
    }
}
